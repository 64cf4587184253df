# pawl_add_plugin(NAME source...): the plugin NAME.so, a library that exports nothing but its plugin symbol.
function(pawl_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" C_STANDARD 11 C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(${name} PRIVATE Pawl::SDK)
endfunction()
