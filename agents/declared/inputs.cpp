#include "agents/declared/inputs.hpp"

#include "runtime/base/read_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::declared {
namespace {

Result<JsonText> recorded_file(InputKind kind, const std::string& path) {
  auto text = read_bounded(path, kInputFileBytesMax);
  if (!text) return std::unexpected(text.error());
  auto value = input_of_file(kind, *text, path);
  if (!value) return std::unexpected(value.error());
  return JsonText{dump_json(*value)};
}

bool is_file(InputKind kind) {
  return kind == InputKind::file || kind == InputKind::lines || kind == InputKind::jsonl;
}

// What needs no file.
Result<Json> plain_input(const Input& input, const Json* given) {
  if (given == nullptr) {
    if (!input.required) return input.otherwise;
    return fail(Errc::invalid_input,
                fmt::format("input {0} is missing; give it with --set {0}=…", input.name));
  }
  if (input.kind != InputKind::json) {
    if (given->is_string() || (is_file(input.kind) && given->is_array())) return *given;
    return fail(Errc::invalid_input, fmt::format("input {} is to be text", input.name));
  }
  if (!given->is_string()) return *given;
  auto parsed = parse_json(given->get_ref<const std::string&>());
  if (!parsed) return fail(Errc::invalid_input, fmt::format("input {}: {}", input.name, parsed.error().what));
  return parsed;
}

Result<void> only_declared(const Declared& declared, const Json& given) {
  if (!given.is_object())
    return fail(Errc::invalid_input, "the input is no object with a member for each input");
  for (const auto& [name, value] : given.items()) {
    if (std::ranges::find(declared.inputs, name, &Input::name) != declared.inputs.end()) continue;
    std::vector<std::string> names;
    for (const auto& input : declared.inputs) names.push_back(input.name);
    auto there = names.empty() ? "there are none" : fmt::format("there are {}", fmt::join(names, ", "));
    return fail(Errc::invalid_input, fmt::format("{} has no input {:.100}; {}", declared.name, name, there));
  }
  return {};
}

}  // namespace

Result<Json> input_of_file(InputKind kind, std::string_view text, const std::string& path) {
  if (!is_utf8(text)) return fail(Errc::invalid_input, path + " is not UTF-8");
  if (kind == InputKind::file) return Json(std::string(text));
  auto out = Json::array();
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (kind == InputKind::lines) {
      out.push_back(std::string(line));
      continue;
    }
    auto value = parse_json(line);
    if (!value) return fail(Errc::invalid_input, fmt::format("{}:{}: {}", path, number, value.error().what));
    out.push_back(std::move(*value));
  }
  return out;
}

Task<Result<Json>> read_run_inputs(Workflow& wf, const Declared& declared, JsonText input) {
  auto given = parse_json(input.text.empty() ? "{}" : input.text);
  if (!given) co_return std::unexpected(given.error());
  if (given->is_null()) given = Json::object();
  if (auto known = only_declared(declared, *given); !known) co_return std::unexpected(known.error());
  auto out = Json::object();
  for (const auto& each : declared.inputs) {
    auto value = plain_input(each, troupe::find(*given, each.name));
    if (!value) co_return std::unexpected(value.error());
    if (is_file(each.kind) && value->is_string()) {
      StepKey key{"inputs", each.name};
      std::function<Result<JsonText>()> body = [kind = each.kind, path = value->get<std::string>()] {
        return recorded_file(kind, path);
      };
      auto reading = wf.step(std::move(key), std::move(body));
      auto text = co_await reading;
      if (!text) co_return std::unexpected(text.error());
      value = parse_json(text->text);
      if (!value) co_return std::unexpected(value.error());
    }
    out[each.name] = std::move(*value);
  }
  co_return out;
}

}  // namespace troupe::declared
