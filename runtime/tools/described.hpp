// Descriptions of tools that an experiment accepted, beside the tools' own: a file that only grows.
#pragma once

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

inline constexpr std::size_t kDescriptionRowsMax = 10'000;

/// One row a line; the newest last. A line that cannot be read is left out and named in `problems`, as is
/// everything after kDescriptionRowsMax. Pure.
std::vector<DescriptionRow> description_rows(std::string_view lines, std::vector<std::string>& problems);
/// Of the file; none when it is not there. input_missing when it cannot be read or exceeds 16 MB.
Result<std::vector<DescriptionRow>> read_descriptions(const std::string& path,
                                                      std::vector<std::string>& problems);
/// Adds a line behind all others: nothing is overwritten. input_missing when that fails; half a line may then
/// be there, which readers leave out.
Result<void> append_description(const std::string& path, const DescriptionRow& row);

/// The rows that stand, oldest first: taking back takes the newest of its tool away. Pure.
std::vector<DescriptionRow> standing(const std::vector<DescriptionRow>& rows);

/// `tool` as agents see it: its own words, or those of the standing rows, each of which must have been
/// accepted for what the one before made of it. Everything else is the tool's.
ToolPtr described(ToolPtr tool, const std::vector<DescriptionRow>& standing_rows);

}  // namespace troupe::tools
