/* Files that are no usable plugins, one per macro. None of their code may ever run: the constructor would tell. */
#include <pawl/plugin.h>

#include <stdlib.h>

__attribute__((constructor)) static void runs(void) { abort(); }

#define TOOL "{\"name\":\"a\",\"version\":\"1.0.0\",\"safety\":\"pure\",\"input\":true,\"output\":true}"

#ifdef BROKEN_TRUNCATED
PAWL_EXPORT const uint64_t pawl_plugin_1[2] = {PAWL_PLUGIN_MAGIC, (UINT64_C(1) << 32) | sizeof(pawl_plugin)};
#elif defined(BROKEN_TINY)
PAWL_EXPORT const char pawl_plugin_1 = 'P';
#elif defined(BROKEN_UNSET)
PAWL_EXPORT pawl_plugin pawl_plugin_1; /* all zero, not even in the file */
#else

#ifndef MAGIC
#define MAGIC PAWL_PLUGIN_MAGIC
#endif
#ifndef ABI
#define ABI PAWL_ABI_VERSION
#endif
#ifndef MANIFEST
#define MANIFEST "{\"name\":\"broken\",\"version\":\"1.0.0\",\"tools\":[" TOOL "]}"
#endif

static int32_t init(const pawl_host* host, pawl_text config, char* reason, size_t capacity) {
    (void)host, (void)config, (void)reason, (void)capacity;
    return 0;
}
static void start(const pawl_call* call) { (void)call; }

PAWL_EXPORT const pawl_plugin pawl_plugin_1 = {MAGIC, sizeof(pawl_plugin), ABI, MANIFEST, init, start, NULL, NULL, NULL};
#endif
