// The sections of a manifest, each read from its value into the manifest; mistakes go to the reader.
#pragma once

#include "agent/manifest_reader.hpp"

namespace pawl::agent {

void read_store(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_agents(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_tools(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_models(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_secrets(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_events(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_retention(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_egress(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_redact(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);
void read_limits(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out);

}  // namespace pawl::agent
