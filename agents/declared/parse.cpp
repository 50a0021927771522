// From a document to a workflow: what stands at its top, and where documents come from.
#include "agents/declared/reading.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/config/yaml_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe::declared {
namespace {

constexpr std::size_t kDeclaredBytesMax = 1u << 20;
constexpr std::size_t kInputsMax = 100;

bool is_input_name(const std::string& name) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  bool begins = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '-';
  return begins && name.size() <= 64 && std::ranges::all_of(name, good);
}

Input read_input(const std::string& name, const Json& value, const std::string& path, Reading& reading) {
  Input out;
  out.name = name;
  if (!is_input_name(name))
    reading.problem(path, "is no name; write up to 64 letters, digits, _ and -, a letter first");
  // "topic:" alone is a required text.
  if (value.is_null()) return out;
  Members members(value, path, reading);
  out.kind = static_cast<InputKind>(members.choice("kind", {"text", "json", "file", "lines", "jsonl"}, 0));
  members.text("description");
  const auto* otherwise = members.take("default");
  out.required = members.flag("required", otherwise == nullptr);
  if (otherwise != nullptr) out.otherwise = *otherwise;
  if (otherwise != nullptr && out.required)
    members.problem("required", "cannot be true beside a default; drop one of the two");
  members.finish();
  return out;
}

void read_inputs_section(Members& root, Declared& declared) {
  const auto* inputs = root.take("inputs");
  if (inputs == nullptr || inputs->is_null()) return;
  if (!inputs->is_object())
    return root.problem("inputs", "expected names, each with its own options below it");
  if (inputs->size() > kInputsMax)
    return root.problem("inputs", fmt::format("more than {} inputs", kInputsMax));
  for (const auto& [name, value] : inputs->items())
    declared.inputs.push_back(read_input(name, value, "inputs." + name, root.reading()));
}

}  // namespace

Result<Declared> parse_declared(const Json& document, const SourceLines& lines, const std::string& file) {
  Reading reading(lines, file);
  Declared out;
  Members root(document, "", reading, "a workflow");
  out.name = root.needed_text("workflow", "my_workflow");
  if (!out.name.empty() && !is_input_name(out.name))
    root.problem("workflow", "is no name; write up to 64 letters, digits, _ and -, a letter first");
  root.text("description");
  out.version = root.word("version");
  out.accepts = root.texts("accepts");
  read_inputs_section(root, out);
  out.budget = read_budget(root, "budget");
  out.durability = static_cast<Durability>(root.choice("durability", {"default", "power", "crash"}, 0));
  const auto* defaults = root.take("defaults");
  read_steps(root, defaults, out);
  root.finish();
  if (!reading.sound()) return std::unexpected(reading.error());
  return out;
}

Result<Declared> read_declared(std::string_view yaml, const std::string& name) {
  auto document = config::read_yaml_json(yaml, name);
  if (!document) return std::unexpected(document.error());
  return parse_declared(document->value, document->lines, name);
}

Result<Declared> load_declared(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    return fail(Errc::input_missing, path + ": the workflow cannot be opened");
  std::string text(kDeclaredBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return read_declared(text, path);
}

bool names_declared_file(std::string_view workflow) {
  return workflow.ends_with(".yaml") || workflow.ends_with(".yml");
}

}  // namespace troupe::declared
