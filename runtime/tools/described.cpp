// Lines of JSON, and a tool in other words.
#include "runtime/tools/described.hpp"

#include "runtime/base/spec_hash.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::uintmax_t kFileBytesMax = 16u << 20;

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

std::string line_of(const DescriptionRow& row) {
  Json out{{"tool", row.tool}, {"spec", row.spec}, {"before", row.before},        {"after", row.after},
           {"why", row.why},   {"by", row.by},     {"taken_back", row.taken_back}};
  return dump_json(out) + "\n";
}

}  // namespace

std::vector<DescriptionRow> description_rows(std::string_view lines, std::vector<std::string>& problems) {
  std::vector<DescriptionRow> out;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (line.empty()) continue;
    auto row = row_from(line);
    if (!row) problems.push_back(fmt::format("line {}: {}", number, row.error().what));
    if (row && out.size() < kDescriptionRowsMax) out.push_back(std::move(*row));
    if (out.size() == kDescriptionRowsMax && !lines.empty()) {
      problems.push_back(fmt::format("lines after {} are not read", number));
      break;
    }
  }
  return out;
}

Result<std::vector<DescriptionRow>> read_descriptions(const std::string& path,
                                                      std::vector<std::string>& problems) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::vector<DescriptionRow>{};
  auto bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kFileBytesMax) return fail(Errc::input_missing, path + " cannot be used");
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(bytes), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size())))
    return fail(Errc::input_missing, path + " cannot be read");
  return description_rows(text, problems);
}

Result<void> append_description(const std::string& path, const DescriptionRow& row) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::ofstream out(path, std::ios::binary | std::ios::app);
  // An interrupted writer may have left half a line: ours begins one of its own.
  auto bytes = std::filesystem::file_size(path, error);
  out << (!error && bytes > 0 ? "\n" : "") << line_of(row) << std::flush;
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
