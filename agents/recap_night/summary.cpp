// Points to JSON and back.
#include "agents/recap_night/summary.hpp"

#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::recap_night {
namespace {

const Json& list_at(const Json& object, std::string_view key) {
  static const Json none = Json::array();
  const auto* list = find(object, key);
  return list != nullptr && list->is_array() ? *list : none;
}

Json source_json(const SourceMessage& source) {
  return Json::array({source.channel, source.date, source.ts, source.mark});
}

bool read_source(const Json& value, SourceMessage& out) {
  if (!value.is_array() || value.size() != 4) return false;
  for (const auto& part : value)
    if (!part.is_string()) return false;
  out = {value[0].get<std::string>(), value[1].get<std::string>(), value[2].get<std::string>(),
         value[3].get<std::string>()};
  return true;
}

bool read_item(const Json& value, Item& out) {
  out = {get_string(value, "kind"), get_string(value, "text"), {}};
  for (const auto& each : list_at(value, "sources")) {
    SourceMessage source;
    if (!read_source(each, source)) return false;
    out.sources.push_back(std::move(source));
  }
  return !out.sources.empty();
}

}  // namespace

std::string mark_of(const std::string& text) { return fmt::format("{:016x}", stable_hash(text)); }

WallTime time_of(const std::string& ts) {
  std::int64_t whole = 0;
  auto [end, error] = std::from_chars(ts.data(), ts.data() + ts.size(), whole);
  if (error != std::errc{} || whole < 0 || whole > 1'000'000'000'000) return {};
  std::int64_t ms = 0;
  if (end != ts.data() + ts.size() && *end == '.')
    for (int i = 1; i <= 3; ++i) {
      bool digit = end + i < ts.data() + ts.size() && end[i] >= '0' && end[i] <= '9';
      ms = ms * 10 + (digit ? end[i] - '0' : 0);
    }
  return {whole * 1000 + ms};
}

Json to_json(const std::vector<Item>& items) {
  Json out = Json::array();
  for (const auto& item : items) {
    Json each;
    each["kind"] = item.kind;
    each["text"] = item.text;
    each["sources"] = Json::array();
    for (const auto& source : item.sources) each["sources"].push_back(source_json(source));
    out.push_back(std::move(each));
  }
  return out;
}

std::vector<Item> read_items(const Json& list) {
  std::vector<Item> out;
  if (!list.is_array()) return out;
  for (const auto& value : list) {
    Item item;
    if (read_item(value, item)) out.push_back(std::move(item));
  }
  return out;
}

JsonText summary_text(const std::vector<Item>& items, const std::vector<std::string>& problems) {
  Json out;
  out["items"] = to_json(items);
  out["problems"] = problems;
  return {dump_json(out)};
}

Result<std::vector<Item>> read_summary(const JsonText& text) {
  auto value = parse_json(text.text);
  if (!value) return std::unexpected(value.error());
  if (find(*value, "items") == nullptr)
    return fail(Errc::invalid_input, "this is no summary: it has no items");
  return read_items(*find(*value, "items"));
}

Json to_json(const ChannelDayId& day) { return Json::array({day.channel, day.date, day.edition}); }

ChannelDayId read_channel_day(const Json& value) {
  ChannelDayId out;
  if (!value.is_array() || value.size() != 3) return out;
  for (const auto& part : value)
    if (!part.is_string()) return out;
  return {value[0].get<std::string>(), value[1].get<std::string>(), value[2].get<std::string>()};
}

Json to_json(const std::vector<Picked>& picked) {
  Json out = Json::array();
  for (const auto& each : picked) out.push_back(Json::array({each.run_id, each.points, each.mark}));
  return out;
}

std::vector<Picked> read_picked(const Json& list) {
  std::vector<Picked> out;
  if (!list.is_array()) return out;
  for (const auto& each : list) {
    bool sound = each.is_array() && each.size() == 3 && each[0].is_string() && each[1].is_array() &&
                 each[2].is_string();
    if (!sound) continue;
    Picked picked{each[0].get<std::string>(), {}, each[2].get<std::string>()};
    for (const auto& index : each[1])
      if (index.is_number_unsigned()) picked.points.push_back(index.get<std::size_t>());
    out.push_back(std::move(picked));
  }
  return out;
}

std::string wide_hash(const std::string& text) {
  return fmt::format("{:016x}{:016x}", stable_hash(text, 0x6e69676874), stable_hash(text, 0x7265636170));
}

}  // namespace troupe::recap_night
