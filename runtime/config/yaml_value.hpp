// A part of a YAML document as a JSON value.
#pragma once

#include "runtime/json/json.hpp"

#include <yaml-cpp/yaml.h>

#include <expected>
#include <string>

namespace troupe::config {

/// The first thing that is wrong.
struct YamlFault {
  int line = 1;
  std::string what;
};
/// As read_yaml_json (yaml_json.hpp) reads a whole document.
std::expected<Json, YamlFault> json_of_node(const YAML::Node& node);

}  // namespace troupe::config
