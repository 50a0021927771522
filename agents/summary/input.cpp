// Reading the summary's input document.
#include "agents/summary/input.hpp"

#include "agents/slack/layout.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

namespace troupe::summary {
namespace {

struct NumberKey {
  const char* key;
  std::int64_t min, max;
};

std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  auto text = value.get<std::string>();
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> take_number(const Json& input, NumberKey wanted, std::size_t& out) {
  const auto* value = find(input, wanted.key);
  if (value == nullptr || value->is_null() || *value == "") return {};
  auto number = whole_number(*value);
  if (!number || *number < wanted.min || *number > wanted.max)
    return fail(Errc::invalid_input,
                fmt::format("{}: expected a whole number from {} to {}", wanted.key, wanted.min, wanted.max));
  out = static_cast<std::size_t>(*number);
  return {};
}

Result<void> take_limits(const Json& json, SummaryInput& out) {
  auto deadline_s =
      static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::seconds>(out.deadline).count());
  struct {
    NumberKey key;
    std::size_t& value;
  } wanted[] = {{{"prepass_tokens_max", 0, 10'000'000}, out.prepass_tokens_max},
                // Below this a call reads little but one line; above it no model's window holds the prompt.
                {{"chunk_tokens_max", 200, 1'000'000}, out.chunk_tokens_max},
                {{"statements_max", 1, 64}, out.statements_max},
                {{"parallel_max", 1, 1024}, out.parallel_max},
                {{"deadline_s", 1, 86'400}, deadline_s}};
  for (auto& each : wanted)
    if (auto taken = take_number(json, each.key, each.value); !taken) return taken;
  // Fewer than a call could ever be asked about is no summary but a mistake.
  if (out.prepass_tokens_max != 0 && out.prepass_tokens_max < 100)
    return fail(Errc::invalid_input, "prepass_tokens_max: expected 0 (never) or at least 100");
  out.line_tokens_max = std::min(out.line_tokens_max, out.chunk_tokens_max);
  out.deadline = std::chrono::seconds(deadline_s);
  return {};
}

Result<Format> format_of(const std::string& named, const std::string& path) {
  if (named == "slack") return Format::slack;
  if (named == "jsonl") return Format::jsonl;
  if (named == "text") return Format::text;
  if (!named.empty())
    return fail(Errc::invalid_input,
                fmt::format("format: expected slack, jsonl or text, not {}", named.substr(0, 40)));
  std::error_code ignored;
  auto ending = std::filesystem::path(path).extension().string();
  if (ending == ".zip" || std::filesystem::is_directory(path, ignored)) return Format::slack;
  return ending == ".jsonl" || ending == ".ndjson" ? Format::jsonl : Format::text;
}

Result<void> take_switch(const Json& json, const char* key, bool& out) {
  const auto* value = find(json, key);
  if (value == nullptr || value->is_null() || *value == "") return {};
  auto text = value->is_boolean() ? (value->get<bool>() ? "on" : "off") : get_string(json, key);
  if (text != "on" && text != "off")
    return fail(Errc::invalid_input, fmt::format("{}: expected on or off", key));
  out = text == "on";
  return {};
}

}  // namespace

Result<SummaryInput> read_summary_input(const JsonText& input) {
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  SummaryInput out;
  out.path = get_string(*json, "input");
  if (out.path.empty()) return fail(Errc::invalid_input, "input: expected the path of a transcript");
  auto format = format_of(get_string(*json, "format"), out.path);
  if (!format) return std::unexpected(format.error());
  out.format = *format;
  for (auto [key, value] : {std::pair("disentangle", &out.disentangle), {"first_look", &out.first_look}})
    if (auto taken = take_switch(*json, key, *value); !taken) return std::unexpected(taken.error());
  out.channel = get_string(*json, "channel");
  if (out.channel.starts_with('#')) out.channel.erase(0, 1);
  out.thread = get_string(*json, "thread");
  out.from = get_string(*json, "from");
  out.to = get_string(*json, "to");
  // At most a paragraph: it stands in every prompt.
  out.query = to_valid_utf8(get_string(*json, "query"));
  cut_to(out.query, 2000);
  out.tenant = get_string(*json, "tenant", out.tenant);
  slack::ReadOptions dates{.from = out.from, .to = out.to};
  if (auto valid = slack::check_dates(dates); !valid) return std::unexpected(valid.error());
  if (auto limits = take_limits(*json, out); !limits) return std::unexpected(limits.error());
  return out;
}

}  // namespace troupe::summary
