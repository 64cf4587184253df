/* The Pawl plugin ABI, version 1. C11 and C++; needs nothing but this header.
 *
 * A plugin is a shared library that exports one data symbol, `pawl_plugin_1` (PAWL_PLUGIN_SYMBOL), of type `const pawl_plugin`. It is constant data: the host reads
 * and checks it, manifest included, from the file, before any code of the library runs.
 *
 * Rules that hold everywhere:
 * - Structs only ever grow at their end, and each begins with (or, for pawl_plugin, has after `magic`) its size as its maker knew it. A reader looks
 *   at `struct_size` before it reads a member that was appended after version 1; a member beyond that size does not exist.
 * - Who allocates frees. Text passed to a function belongs to the caller and is valid until that function returns; keep a copy of what you need longer.
 * - Text is UTF-8 with a length and need not end in NUL. "JSON" is text that holds one JSON document.
 * - No exception, RTTI or standard-library type crosses. A C++ function called through this header must not throw.
 * - Threads are named at each function: [any thread] may be called from any thread, at the same time as any other function;
 *   [init thread] the host calls init and shutdown one after the other, never at the same time as start.
 */
#ifndef PAWL_PLUGIN_H
#define PAWL_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAWL_ABI_VERSION 1u
/* The bytes "PAWLTOOL" in the file. */
#define PAWL_PLUGIN_MAGIC UINT64_C(0x4c4f4f544c574150)
#define PAWL_PLUGIN_SYMBOL "pawl_plugin_1"

#if defined(__GNUC__)
#define PAWL_EXPORT __attribute__((visibility("default")))
#else
#define PAWL_EXPORT
#endif

typedef struct pawl_text {
    const char* data; /* may be null when size is 0 */
    size_t size;
} pawl_text;

/* Names one call, and no other call in this process, ever. A call is live from start() until complete(); for a call that is not live
 * the host's functions do nothing (is_cancelled says 1), so that a late heartbeat or a second complete() does no harm. */
typedef uint64_t pawl_call_id;

typedef struct pawl_call {
    uint32_t struct_size;
    uint32_t attempt;       /* 1 for the first try; retries of the same step count up */
    pawl_call_id id;
    pawl_text tool;         /* name as in the manifest: "lookup" */
    pawl_text input;        /* JSON; it follows the tool's input schema */
    pawl_text key;          /* idempotency key: the same for every attempt of this step, different for any other */
    int64_t deadline_ms;    /* milliseconds since 1970-01-01 UTC; 0: none */
    pawl_text last_detail;  /* JSON of the last detail that an earlier attempt told; empty: none is known */
} pawl_call;

enum pawl_outcome { PAWL_COMPLETED = 0, PAWL_FAILED = 1 };
enum pawl_log_level { PAWL_LOG_DEBUG = 0, PAWL_LOG_INFO = 1, PAWL_LOG_WARNING = 2, PAWL_LOG_ERROR = 3 };

/* What the host offers. Valid from init() until shutdown() has returned. */
typedef struct pawl_host {
    uint32_t struct_size;
    uint32_t abi_version;

    /* Ends a call. Exactly once for each started call; later ones are ignored and logged. `json`: the output for PAWL_COMPLETED; for PAWL_FAILED a Problem Details
     * object (RFC 9457): `type` one of configuration validation expression authentication authorization timeout communication runtime (or a URI), `detail` a
     * sentence for people, and as needed `status`, `title` and further members. May be called inside start(). [any thread] */
    void (*complete)(const struct pawl_host* host, pawl_call_id call, int32_t outcome, pawl_text json);

    /* Says that the call is alive, and how far it is: a later attempt gets the newest `detail_json` as `last_detail`, also after a crash of the engine. Stored a few times
     * a second at most, so a later attempt may get one that is a little older. Empty: alive, and as far as before. At most 64 KiB; no secrets. [any thread] */
    void (*heartbeat)(const struct pawl_host* host, pawl_call_id call, pawl_text detail_json);

    /* One line for people who watch: "3 of 10 files". [any thread] */
    void (*progress)(const struct pawl_host* host, pawl_call_id call, pawl_text line);

    /* One line for the operator's log; call 0: it belongs to no call. Long lines are cut and too many are dropped, with a note. Never log a secret. [any thread] */
    void (*log)(const struct pawl_host* host, pawl_call_id call, int32_t level, pawl_text line);

    /* 1 when nobody waits for the call any more: stop as soon as that is safe, and still complete() it. [any thread] */
    int32_t (*is_cancelled)(const struct pawl_host* host, pawl_call_id call);

    /* A capability by id, or null. The pointer stays valid until shutdown() has returned. [any thread] */
    const void* (*get_extension)(const struct pawl_host* host, const char* id);
} pawl_host;

typedef struct pawl_plugin {
    uint64_t magic;       /* PAWL_PLUGIN_MAGIC */
    uint32_t struct_size; /* sizeof(pawl_plugin) */
    uint32_t abi_version; /* PAWL_ABI_VERSION */

    /* The manifest: JSON, ends in NUL, constant data. One object:
     *   name     "orders": lower case letters, digits, '-' and '_', starting with a letter
     *   version  semantic version
     *   summary  one line (optional)
     *   tools    array of { name, version, summary, safety: "pure" | "idempotent" | "at-most-once", input, output }; input and output are JSON Schemas (2020-12);
     *            also heartbeatTimeout (optional): how long a call may go without heartbeat() before it is given up, an ISO 8601 duration ("PT30S")
     *   secrets  array of names the calls need (optional)
     *   config   JSON Schema of the configuration that init() takes (optional) */
    const char* manifest;

    /* Makes the plugin ready: called once before any other function, and again after shutdown(). `config` is a JSON object. 0: ready. Anything else: it cannot work, and a
     * sentence that says why is in `reason` (room for `capacity` bytes, ends in NUL). [init thread] */
    int32_t (*init)(const pawl_host* host, pawl_text config, char* reason, size_t capacity);

    /* Begins a call. It may block (the host uses a thread of its bounded pool, many calls at once) or return and complete() later. [any thread] */
    void (*start)(const pawl_call* call);

    /* Nobody waits for this call any more; must not block. May be null: then is_cancelled() is all there is. Calls that ended are possible here. [any thread] */
    void (*cancel)(pawl_call_id call);

    /* No call follows; every call has completed or been given up. May be null. [init thread] */
    void (*shutdown)(void);

    /* A capability of the plugin by id, or null; may be null itself. [any thread] */
    const void* (*get_extension)(const char* id);
} pawl_plugin;

/* Extension of the host: the secrets that the manifest declares, as they are at this call. */
#define PAWL_SECRETS_1 "pawl.secrets/1"
typedef struct pawl_secrets {
    uint32_t struct_size;
    /* Copies the secret's value (no NUL) to `buffer` if it fits in `capacity`. Returns its size, or -1 when the call has no such secret. [any thread] */
    int64_t (*get)(const pawl_host* host, pawl_call_id call, pawl_text name, char* buffer, size_t capacity);
} pawl_secrets;

#ifdef __cplusplus
}
#endif

#endif
