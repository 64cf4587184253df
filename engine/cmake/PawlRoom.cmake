# pawl_room(NAME [NEEDS room...] [LIBRARIES target...]): the static library pawl_NAME of every *.cpp in engine/NAME.
# NEEDS states the include rule of DESIGN.md section 3; tests/tidy holds the sources to it.
function(pawl_room name)
  cmake_parse_arguments(ROOM "" "" "NEEDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    add_library(pawl_${name} INTERFACE)
    return()
  endif()
  add_library(pawl_${name} STATIC ${sources})
  target_include_directories(pawl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/engine)
  target_link_libraries(pawl_${name} PRIVATE pawl_options)
  foreach(needed IN LISTS ROOM_NEEDS)
    target_link_libraries(pawl_${name} PUBLIC pawl_${needed})
  endforeach()
  target_link_libraries(pawl_${name} PUBLIC ${ROOM_LIBRARIES})
  pawl_precompile(pawl_${name})
endfunction()

# pawl_tests(NAME [NEEDS room...] [LIBRARIES target...]): one Boost.Test program test_NAME of every *.cpp in tests/NAME.
function(pawl_tests name)
  cmake_parse_arguments(TESTS "" "" "NEEDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE pawl_options ${TESTS_LIBRARIES} pawl_test_support)
  foreach(needed IN LISTS TESTS_NEEDS)
    target_link_libraries(test_${name} PRIVATE pawl_${needed})
  endforeach()
  # The report is what tests/run counts.
  add_test(NAME ${name} COMMAND test_${name} --random=1 --logger=HRF,warning,stdout:JUNIT,all,${CMAKE_BINARY_DIR}/reports/${name}.xml)
  # Leaks that are not ours (asan), also in the processes that tests start.
  set_tests_properties(${name} PROPERTIES TIMEOUT 1800
    ENVIRONMENT "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/leaks.txt:print_suppressions=0")
  pawl_precompile(test_${name})
endfunction()

# One precompiled header for all rooms: what nearly every file includes, and nothing that only a few do.
function(pawl_precompile target)
  if(NOT PAWL_PCH)
    return()
  endif()
  if(NOT TARGET pawl_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/pch.cpp "")
    add_library(pawl_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cpp)
    target_link_libraries(pawl_pch PRIVATE pawl_options Boost::json)
    target_precompile_headers(pawl_pch PRIVATE
      <algorithm> <array> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
      <string_view> <unordered_map> <utility> <variant> <vector> <boost/json.hpp> <boost/system/result.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM pawl_pch)
endfunction()
