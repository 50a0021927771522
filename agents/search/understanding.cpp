// Reading, bounding and writing an understanding.
#include "agents/search/understanding.hpp"

#include "agents/research/words.hpp"

#include <algorithm>

namespace troupe::search {
namespace {

constexpr std::size_t kQueryTextMax = 400;
constexpr std::size_t kFilterNamesMax = 5;
constexpr std::size_t kFilterNameBytes = 100;

std::vector<std::string> texts_at(const Json& json, const char* key, std::size_t count_max,
                                  std::size_t bytes) {
  std::vector<std::string> out;
  const auto* list = find(json, key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& item : *list) {
    if (out.size() == count_max) break;
    if (!item.is_string()) continue;
    auto text = research::one_line(item.get<std::string>(), bytes);
    if (!text.empty() && std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

std::string day_at(const Json* range, const char* key) {
  auto day = range == nullptr ? std::string() : get_string(*range, key);
  return is_day(day) ? day : std::string();
}

}  // namespace

// Every property is required and none may be added: the strict subset both OpenAI and Bedrock enforce (WIRE).
const std::string_view kUnderstandingSchema =
    R"({"type":"object","properties":{)"
    R"("intent":{"type":"string","enum":["informational","navigational","other"]},)"
    R"("core":{"type":"string"},"variants":{"type":"array","items":{"type":"string"}},)"
    R"("time_range":{"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"}},)"
    R"("required":["from","to"],"additionalProperties":false},)"
    R"("content_types":{"type":"array","items":{"type":"string"}},)"
    R"("people":{"type":"array","items":{"type":"string"}}},)"
    R"("required":["intent","core","variants","time_range","content_types","people"],)"
    R"("additionalProperties":false})";

Understanding plain_understanding(const SearchInput& input) {
  Understanding out;
  out.core = without_command(input.question);
  out.filters = input.filters;
  return out;
}

Understanding understanding_from(const Json& answer, const SearchInput& input) {
  Understanding out;
  out.by = "model";
  out.intent = intent_from(get_string(answer, "intent"), IntentKind::other);
  out.core = research::one_line(get_string(answer, "core"), kQueryTextMax);
  // Words that look nothing up are worth less than the question.
  if (research::telling_words(out.core).empty()) out.core = input.question;
  out.variants = texts_at(answer, "variants", input.variants_max, kQueryTextMax);
  const auto* range = find(answer, "time_range");
  out.filters.from = day_at(range, "from");
  out.filters.to = day_at(range, "to");
  out.filters.types = texts_at(answer, "content_types", kFilterNamesMax, kFilterNameBytes);
  out.filters.people = texts_at(answer, "people", kFilterNamesMax, kFilterNameBytes);
  // What the asker set is not for a model to change.
  const auto& set = input.filters;
  if (!set.from.empty() || !set.to.empty()) out.filters.from = set.from, out.filters.to = set.to;
  if (!set.types.empty()) out.filters.types = set.types;
  if (!set.people.empty()) out.filters.people = set.people;
  return out;
}

Json to_json(const Understanding& understanding) {
  const auto& filters = understanding.filters;
  return Json{{"core", understanding.core},
              {"variants", understanding.variants},
              {"time_range", {{"from", filters.from}, {"to", filters.to}}},
              {"content_types", filters.types},
              {"people", filters.people},
              {"by", understanding.by}};
}

std::vector<std::string> queries_of(const Understanding& understanding) {
  std::vector<std::string> out{understanding.core};
  std::vector<std::vector<std::string>> asked{research::word_set(understanding.core)};
  for (const auto& variant : understanding.variants) {
    auto words = research::word_set(variant);
    if (words.empty() || std::ranges::find(asked, words) != asked.end()) continue;
    asked.push_back(std::move(words));
    out.push_back(variant);
  }
  return out;
}

}  // namespace troupe::search
