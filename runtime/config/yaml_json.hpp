// YAML that is no configuration of ours as a JSON value with the line of everything in it.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>

#include <map>
#include <string>
#include <string_view>

namespace troupe::config {

/// Path of a value -> the line it stands on: "steps[2].prompt" -> 14. The root has none.
using SourceLines = std::map<std::string, int>;

struct YamlDocument {
  Json value;
  SourceLines lines;
};

/// At most 1 MiB, 64 levels and 50,000 values, aliases counted each time they are used. Plain scalars become
/// null, true, false, whole numbers or numbers when they are written as JSON writes them (YAML 1.2, 10.2),
/// else text; quoted ones are text. bad_config, "FILE:LINE: what is wrong", for what is no YAML, a second
/// document, keys that are not text and keys that are there twice.
Result<YamlDocument> read_yaml_json(std::string_view text, const std::string& name);

/// "FILE:LINE: PATH: what", with the line of `path` or of the nearest above it that the file has.
std::string located(const SourceLines& lines, const std::string& name, const std::string& path,
                    const std::string& what);
int line_of(const SourceLines& lines, std::string path);

}  // namespace troupe::config
