/* A plugin in plain C11, without the C++ layer: asynchronous answers, and breaches of the contract that only C can commit. */
#include <pawl/plugin.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TOOL(name) "{\"name\":\"" name "\",\"version\":\"0.1.0\",\"summary\":\"\",\"safety\":\"pure\",\"input\":true,\"output\":true}"

static const pawl_host* host;
static _Atomic pawl_call_id newest;

static pawl_text text(const char* from) {
    pawl_text made = {from, strlen(from)};
    return made;
}

static int32_t init(const pawl_host* given, pawl_text config, char* reason, size_t capacity) {
    if (given->struct_size < sizeof(pawl_host) || config.size == 0) {
        snprintf(reason, capacity, "the host is too old");
        return 1;
    }
    host = given;
    return 0;
}

static void* answer_later(void* id) {
    const pawl_call_id call = (pawl_call_id)(uintptr_t)id;
    host->heartbeat(host, call, text("{\"at\":1}"));
    host->complete(host, call, PAWL_COMPLETED, text("\"from another thread\""));
    host->progress(host, call, text("too late"));
    return NULL;
}

/* What a thread of the plugin does that nobody told that its host has gone. Returns is_cancelled. */
PAWL_EXPORT int32_t plain_speak(void);
int32_t plain_speak(void) {
    host->heartbeat(host, newest, text("{}"));
    host->progress(host, newest, text("too late"));
    host->log(host, newest, PAWL_LOG_INFO, text("too late"));
    host->complete(host, newest, PAWL_COMPLETED, text("1"));
    return host->is_cancelled(host, newest);
}

static void start(const pawl_call* call) {
    newest = call->id;
    if (strncmp(call->tool.data, "thread", call->tool.size) == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, answer_later, (void*)(uintptr_t)call->id) == 0) pthread_detach(thread);
    } else if (strncmp(call->tool.data, "twice", call->tool.size) == 0) {
        host->complete(host, call->id, PAWL_COMPLETED, text("1"));
        host->complete(host, call->id, PAWL_COMPLETED, text("2"));
    } else if (strncmp(call->tool.data, "garbage", call->tool.size) == 0) {
        host->complete(host, call->id, PAWL_COMPLETED, text("{\"a\":"));
    } else if (strncmp(call->tool.data, "shrug", call->tool.size) == 0) {
        host->complete(host, call->id, PAWL_FAILED, text("I do not know"));
    } else if (strncmp(call->tool.data, "echo", call->tool.size) == 0) {
        host->complete(host, call->id, PAWL_COMPLETED, call->input);
    }
    /* "never": no answer */
}

PAWL_EXPORT const pawl_plugin pawl_plugin_1 = {
    PAWL_PLUGIN_MAGIC, sizeof(pawl_plugin), PAWL_ABI_VERSION,
    "{\"name\":\"plain\",\"version\":\"0.1.0\",\"tools\":[" TOOL("thread") "," TOOL("twice") "," TOOL("garbage") "," TOOL("shrug") "," TOOL("never") "," TOOL("echo") "]}",
    init, start, NULL, NULL, NULL};
