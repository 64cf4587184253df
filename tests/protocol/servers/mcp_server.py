"""A small MCP server over stdio for the tests. Its first argument is how it behaves; `$MCP_LOG` gets a line for each message."""
import json
import os
import sys

mode = sys.argv[1] if len(sys.argv) > 1 else "good"


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def log(text):
    if "MCP_LOG" in os.environ:
        with open(os.environ["MCP_LOG"], "a") as out:
            out.write(text + "\n")


def call(name, arguments):
    if name == "add":
        return {"content": [{"type": "text", "text": str(arguments["a"] + arguments["b"])}], "isError": False}
    if name == "fail":
        return {"content": [{"type": "text", "text": "no such order"}], "isError": True}
    if name == "key":
        return {"content": [{"type": "text", "text": os.environ["PAWL_IDEMPOTENCY_KEY"] + " " + os.environ.get("TOKEN", "")}]}
    if name == "large":
        return {"content": [{"type": "text", "text": "x" * arguments["bytes"]}]}
    return None


if mode == "greets":
    print("welcome to this server", flush=True)
if mode == "broken":
    print("there is no configuration", file=sys.stderr, flush=True)
    sys.exit(3)
log("started %d" % os.getpid())
for line in sys.stdin:
    message = json.loads(line)
    method = message.get("method")
    log(method or "answer " + json.dumps(message.get("error") or message.get("result")))
    if method == "initialize":
        asked = message["params"]["protocolVersion"]
        say({"jsonrpc": "2.0", "id": message["id"], "result": {
            "protocolVersion": "1999-01-01" if mode == "ancient" else asked, "capabilities": {"tools": {}}, "serverInfo": {"name": "test", "version": "1"}}})
        log("client " + message["params"]["clientInfo"]["name"] + " " + message["params"]["clientInfo"]["version"])
    elif method == "notifications/initialized":
        if mode == "asks":
            say({"jsonrpc": "2.0", "id": "p", "method": "ping"})
            say({"jsonrpc": "2.0", "id": "s", "method": "sampling/createMessage", "params": {}})
            say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "hello"}})
    elif mode == "silent":
        continue
    elif mode == "dies":
        os._exit(4)
    elif method == "tools/list":
        say({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": [{"name": "add", "inputSchema": {"type": "object"}}]}})
    elif method == "tools/call":
        result = call(message["params"]["name"], message["params"].get("arguments", {}))
        if result is None:
            say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "unknown tool"}})
        else:
            say({"jsonrpc": "2.0", "id": message["id"], "result": result})
    else:
        say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "unknown method"}})
log("ended")
