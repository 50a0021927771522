// Lines of JSON, and a tool in other words.
#include "runtime/tools/described.hpp"

#include "runtime/base/lines.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/base/spec_hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace troupe::tools {
namespace {

class DescribedTool final : public Tool {
 public:
  DescribedTool(ToolPtr tool, ToolSpec spec) : tool_(std::move(tool)), spec_(std::move(spec)) {}
  const ToolSpec& spec() const override { return spec_; }
  bool repeatable() const override { return tool_->repeatable(); }
  void call(const ToolContext& context, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    tool_->call(context, input, std::move(done));
  }

 private:
  const ToolPtr tool_;
  const ToolSpec spec_;
};

Result<DescriptionRow> row_from(std::string_view line) {
  auto json = parse_json(line);
  if (!json) return std::unexpected(json.error());
  DescriptionRow out;
  out.tool = get_string(*json, "tool");
  out.spec = get_string(*json, "spec");
  out.before = get_string(*json, "before");
  out.after = get_string(*json, "after");
  out.why = get_string(*json, "why");
  out.by = get_string(*json, "by");
  out.taken_back = get_bool(*json, "taken_back");
  if (out.tool.empty() || (out.after.empty() && !out.taken_back))
    return fail(Errc::invalid_input, "it names no tool or no text");
  return out;
}

}  // namespace

Json to_json(const DescriptionRow& row) {
  return Json{{"tool", row.tool}, {"spec", row.spec}, {"before", row.before},        {"after", row.after},
              {"why", row.why},   {"by", row.by},     {"taken_back", row.taken_back}};
}

std::vector<DescriptionRow> description_rows(std::string_view lines, std::vector<std::string>& problems) {
  std::vector<DescriptionRow> out;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    auto line = take_line(lines);
    if (line.empty()) continue;
    auto row = row_from(line);
    if (!row) problems.push_back(fmt::format("line {}: {}", number, row.error().what));
    if (row) out.push_back(std::move(*row));
  }
  return out;
}

Result<std::vector<DescriptionRow>> read_descriptions(const std::string& path,
                                                      std::vector<std::string>& problems) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::vector<DescriptionRow>{};
  auto text = read_bounded(path, kDescriptionFileBytesMax);
  if (!text) return std::unexpected(text.error());
  return description_rows(*text, problems);
}

Result<void> append_description(const std::string& path, const DescriptionRow& row) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  auto bytes = std::filesystem::exists(path, error) ? std::filesystem::file_size(path, error) : 0;
  // An interrupted writer may have left half a line: ours begins one of its own.
  auto line = (bytes > 0 ? "\n" : "") + dump_json(to_json(row)) + "\n";
  if (bytes + line.size() > kDescriptionFileBytesMax)
    return fail(Errc::refused,
                fmt::format("{} is full ({} bytes): whatever is added would not be read; begin "
                            "another one with the descriptions that stand",
                            path, kDescriptionFileBytesMax));
  std::ofstream out(path, std::ios::binary | std::ios::app);
  out << line << std::flush;
  if (!out) return fail(Errc::input_missing, path + " cannot be written");
  return {};
}

std::vector<DescriptionRow> standing(const std::vector<DescriptionRow>& rows) {
  std::vector<DescriptionRow> out;
  for (const auto& row : rows) {
    if (!row.taken_back) {
      out.push_back(row);
      continue;
    }
    auto newest = std::ranges::find(out.rbegin(), out.rend(), row.tool, &DescriptionRow::tool);
    if (newest != out.rend()) out.erase(std::next(newest).base());
  }
  return out;
}

ToolPtr described(ToolPtr tool, const std::vector<DescriptionRow>& standing_rows) {
  auto spec = tool->spec();
  bool changed = false;
  for (const auto& row : standing_rows) {
    if (row.tool != spec.name || row.spec != spec_hash(spec)) continue;
    spec.description = row.after;
    changed = true;
  }
  if (!changed) return tool;
  return std::make_shared<DescribedTool>(std::move(tool), std::move(spec));
}

}  // namespace troupe::tools
