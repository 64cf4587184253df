#include "trial/case_file.hpp"

namespace pawl::trial {
namespace {

constexpr std::string_view text = R"schema({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Cases of pawl test",
  "type": "object",
  "required": ["cases"],
  "additionalProperties": false,
  "properties": {
    "title": { "type": "string", "description": "what these cases are about, for people" },
    "given": { "$ref": "#/$defs/given", "description": "for every case; a case's own `given` replaces members" },
    "functions": {
      "type": "object",
      "description": "functions that the project does not offer (no plugin needed): name -> what it says of itself",
      "propertyNames": { "minLength": 1, "maxLength": 200 },
      "additionalProperties": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "safety": { "enum": ["pure", "idempotent", "at-most-once"] },
          "version": { "type": "string" },
          "input": { "type": ["object", "boolean"], "description": "JSON Schema of the arguments" },
          "output": { "type": ["object", "boolean"], "description": "JSON Schema of the output" }
        }
      }
    },
    "answers": { "$ref": "#/$defs/answers", "description": "for every case, after its own" },
    "tools": { "$ref": "#/$defs/tools" },
    "always": { "$ref": "#/$defs/conditions" },
    "faults": { "$ref": "#/$defs/faults" },
    "cases": { "type": "array", "minItems": 1, "maxItems": 10000, "items": { "$ref": "#/$defs/case" } }
  },
  "$defs": {
    "duration": { "type": "string", "pattern": "^P", "description": "ISO 8601: PT30S, P30D" },
    "conditions": {
      "description": "expressions on what was seen at the end ({status, output, error, state, calls, events, ...}); they must hold in every mode",
      "type": "array", "items": { "type": "string", "pattern": "^\\s*\\$\\{" }
    },
    "tools": {
      "description": "real: what has no answer is really called, in the environment of the project; or which functions are, whatever `answers` say",
      "anyOf": [
        { "enum": ["real", "scripted"] },
        { "type": "object", "required": ["real"], "additionalProperties": false, "properties": { "real": { "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } } } }
      ]
    },
    "faults": {
      "description": "errors by which the flow may end, beside those that it raises itself",
      "type": "array", "items": { "type": "object", "minProperties": 1 }
    },
    "given": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "flow": { "type": "string", "minLength": 1, "description": "path of the flow, relative to this file" },
        "workflow": { "type": "object", "description": "a whole definition, in place of `flow`" },
        "files": { "type": "object", "additionalProperties": { "type": "string" }, "description": "prompts and schemas that `workflow` names: path as written -> text" },
        "agent": { "type": "string", "pattern": "^[^/]+/.+$", "description": "the instance that the run belongs to: NAME/KEY" },
        "state": { "description": "the agent's state before; absent: a new instance" },
        "stateVersion": { "type": "integer", "minimum": 1 },
        "earlier": {
          "description": "the same state as it stood in earlier versions, for --old-states",
          "type": "array",
          "items": {
            "type": "object", "required": ["version", "state"], "additionalProperties": false,
            "properties": { "version": { "type": "integer", "minimum": 1 }, "state": true }
          }
        },
        "clock": { "type": "string", "description": "RFC 3339; 2026-01-01T00:00:00Z when absent" },
        "environment": { "type": "string", "minLength": 1, "description": "the environment of the manifest; absent: the command's" },
        "secrets": {
          "description": "values that stand for secrets here, or only their names; they are never printed",
          "anyOf": [ { "type": "object", "additionalProperties": { "type": "string" } }, { "type": "array", "items": { "type": "string", "minLength": 1 } } ]
        },
        "store": {
          "description": "what the store holds before the case begins",
          "type": "object", "additionalProperties": false,
          "properties": {
            "agents": {
              "type": "object", "propertyNames": { "pattern": "^[^/]+/.+$" }, "description": "other instances: NAME/KEY",
              "additionalProperties": {
                "type": "object", "required": ["state"], "additionalProperties": false,
                "properties": { "state": true, "stateVersion": { "type": "integer", "minimum": 1 } }
              }
            },
            "runs": {
              "type": "array", "maxItems": 1000, "description": "runs that have gone as far as they can: finished, or waiting",
              "items": {
                "type": "object", "required": ["flow"], "additionalProperties": false,
                "properties": { "flow": { "type": "string", "minLength": 1 }, "input": true, "agent": { "type": "string", "pattern": "^[^/]+/.+$" } }
              }
            },
            "events": { "type": "array", "maxItems": 1000, "items": { "type": "object", "required": ["type"] }, "description": "CloudEvents that these runs have heard" }
          }
        }
      },
      "not": { "required": ["flow", "workflow"] }
    },
    "reply": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "value": { "description": "the call's output" },
        "text": { "type": "string", "description": "what a model wrote" },
        "error": { "$ref": "#/$defs/error" },
        "silence": { "const": true, "description": "no answer, ever" },
        "cut": { "type": "integer", "minimum": 0, "description": "with `text`: the model's words end after so many characters" },
        "delay": { "$ref": "#/$defs/duration" }
      },
      "dependentRequired": { "cut": ["text"] },
      "oneOf": [ { "required": ["value"] }, { "required": ["text"] }, { "required": ["error"] }, { "required": ["silence"] } ]
    },
    "error": {
      "anyOf": [
        { "enum": ["configuration", "validation", "expression", "authentication", "authorization", "timeout", "communication", "runtime"] },
        {
          "type": "object", "required": ["type"], "additionalProperties": true,
          "properties": {
            "type": { "type": "string", "minLength": 1 }, "status": { "type": "integer" },
            "title": { "type": "string" }, "detail": { "type": "string" }
          }
        }
      ]
    },
    "answers": {
      "type": "array",
      "items": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "call": { "type": "string", "minLength": 1, "description": "the function" },
          "task": { "type": "string", "minLength": 1 },
          "with": { "description": "what the arguments must match" },
          "attempt": { "type": "integer", "minimum": 1 },
          "value": true, "text": { "type": "string" }, "error": { "$ref": "#/$defs/error" }, "silence": { "const": true }, "delay": { "$ref": "#/$defs/duration" },
          "cut": { "type": "integer", "minimum": 0, "description": "with `text`: the model's words end after so many characters" },
          "cassette": { "type": "string", "minLength": 1, "description": "path of recorded answers, relative to this file: of `pawl run --record`, or a model's cassette" },
          "replies": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/reply" }, "description": "the first call gets the first; the last one stays" }
        },
        "dependentRequired": { "cut": ["text"] },
        "anyOf": [ { "required": ["call"] }, { "required": ["task"] }, { "required": ["cassette"] } ],
        "oneOf": [ { "required": ["cassette"] }, { "required": ["value"] }, { "required": ["text"] }, { "required": ["error"] }, { "required": ["silence"] }, { "required": ["replies"] } ]
      }
    },
    "decision": {
      "anyOf": [
        { "type": "string", "minLength": 1, "description": "the task that asks" },
        {
          "type": "object", "additionalProperties": false,
          "properties": { "task": { "type": "string" }, "by": { "type": "string" }, "comment": { "type": "string" } }
        }
      ]
    },
    "when": {
      "type": "array",
      "items": {
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
        "properties": {
          "approve": { "$ref": "#/$defs/decision" },
          "reject": { "$ref": "#/$defs/decision" },
          "cancel": { "anyOf": [ { "const": true }, { "type": "object", "additionalProperties": false, "properties": { "by": { "type": "string" } } } ] },
          "wait": { "$ref": "#/$defs/duration" },
          "message": { "description": "another run of the flow, with this input" },
          "event": { "type": "object", "required": ["type"], "description": "a CloudEvent for the runs that listen; id, source and time are filled in" }
        }
      }
    },
    "table": {
      "description": "inputs with what is expected of them: each row is a case of its own, and with --evaluate a question to the real model",
      "type": "object", "additionalProperties": false,
      "properties": {
        "rows": {
          "type": "array", "minItems": 1, "maxItems": 10000,
          "items": {
            "type": "object", "required": ["expect"], "additionalProperties": false,
            "properties": {
              "name": { "type": "string", "minLength": 1, "maxLength": 200 },
              "input": { "description": "merged into the case's input" },
              "expect": { "description": "what the task's result, or the output, must match" }
            }
          }
        },
        "file": { "type": "string", "minLength": 1, "description": "rows from a .csv or .jsonl file, relative to this file" },
        "task": { "type": "string", "minLength": 1, "description": "whose result is judged; absent: the run's output" },
        "thresholds": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "agreement": { "type": "number", "minimum": 0, "maximum": 1 },
            "fields": { "type": "object", "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 } }
          }
        }
      },
      "oneOf": [ { "required": ["rows"] }, { "required": ["file"] } ]
    },
    "case": {
      "type": "object", "required": ["name"], "anyOf": [ { "required": ["then"] }, { "required": ["table"] } ], "additionalProperties": false,
      "properties": {
        "name": { "type": "string", "minLength": 1, "maxLength": 300 },
        "given": { "$ref": "#/$defs/given" },
        "input": { "description": "what the run starts with; {} when absent" },
        "table": { "$ref": "#/$defs/table" },
        "answers": { "$ref": "#/$defs/answers" },
        "when": { "$ref": "#/$defs/when" },
        "tools": { "$ref": "#/$defs/tools" },
        "always": { "$ref": "#/$defs/conditions" },
        "faults": { "$ref": "#/$defs/faults" },
        "without": {
          "description": "modes that make no sense for this case",
          "type": "array", "items": { "enum": ["crash-everywhere", "duplicates", "resent-events", "bad-answers", "shuffle", "old-states"] }
        },
        "then": {
          "type": "object", "minProperties": 1, "additionalProperties": false,
          "properties": {
            "status": { "enum": ["completed", "faulted", "cancelled", "waiting"] },
            "output": true, "error": true, "state": true, "meta": true,
            "transitions": { "type": ["array", "object"] },
            "calls": { "type": ["array", "object"] },
            "events": { "type": ["array", "object"] },
            "approvals": { "type": ["array", "object"] },
            "log": { "type": ["array", "object"] },
            "runs": { "type": ["array", "object"] },
            "took": true,
            "store": { "type": "object", "description": "{ agents: { NAME/KEY: { state, version, meta } }, runs: [ { workflow, agent, status, output, error } ] }" },
            "snapshot": {
              "description": "held against what was seen the last time: true is output, transitions and the agent's state",
              "anyOf": [
                { "const": true },
                { "type": "array", "minItems": 1, "uniqueItems": true,
                  "items": { "enum": ["status", "output", "error", "state", "meta", "transitions", "calls", "events", "approvals", "log", "runs", "took", "store"] } }
              ]
            },
            "never": { "type": "array", "items": { "type": "string" }, "description": "functions or tasks that are not called" }
          }
        }
      }
    }
  }
})schema";

}  // namespace

const json::value& case_schema() {
    static const json::value schema = parse_json(text).value();
    return schema;
}

}  // namespace pawl::trial
