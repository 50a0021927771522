// Descriptions of tools that an experiment accepted, beside the tools' own: a file that only grows.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/tool.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// One line of the file: a description was accepted, or the latest accepted one of a tool taken back.
struct DescriptionRow {
  std::string tool;
  /// spec_hash of what it was accepted for: when the tool's own words change, it stands for nothing.
  std::string spec;
  /// Both texts, and what the experiment said, for people.
  std::string before, after, why, by;
  bool taken_back = false;
};

/// As a line of the file holds it: {"tool", "spec", "before", "after", "why", "by", "taken_back"}.
Json to_json(const DescriptionRow& row);

/// Of the file. Nothing is written beyond it, and so nothing is there that is not read.
inline constexpr std::size_t kDescriptionFileBytesMax = 16u << 20;

/// One row a line; the newest last. A line that cannot be read is left out and named in `problems`. Pure.
std::vector<DescriptionRow> description_rows(std::string_view lines, std::vector<std::string>& problems);
/// Of the file; none when it is not there. input_missing when it cannot be read, invalid_input beyond its
/// bound.
Result<std::vector<DescriptionRow>> read_descriptions(const std::string& path,
                                                      std::vector<std::string>& problems);
/// Adds a line behind all others: nothing is overwritten. input_missing when that fails; half a line may then
/// be there, which readers leave out. refused, and nothing is added, when the file is full.
Result<void> append_description(const std::string& path, const DescriptionRow& row);

/// The rows that stand, oldest first: taking back takes the newest of its tool away. Pure.
std::vector<DescriptionRow> standing(const std::vector<DescriptionRow>& rows);

/// `tool` as agents see it: its own words, or those of the standing rows, each of which must have been
/// accepted for what the one before made of it. Everything else is the tool's.
ToolPtr described(ToolPtr tool, const std::vector<DescriptionRow>& standing_rows);

}  // namespace troupe::tools
