// Reading tool outputs into passages, and findings into quotes.
#include "agents/research/evidence.hpp"

#include "agents/research/words.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::research {
namespace {

// Bytes.
constexpr std::size_t kTextMax = 600, kQuoteMax = 1200, kTitleMax = 200, kAddressMax = 2000;
constexpr double kRuleCoverage = 0.34;

Span span_of(const Json& hit) {
  auto start = get_int(hit, "start", -1), end = get_int(hit, "end", -1);
  if (start < 0 || end < start) return {};
  return {get_string(hit, "doc"), static_cast<std::size_t>(start), static_cast<std::size_t>(end)};
}

Passage passage_of(const Json& hit, const std::string& tool, const std::string& key) {
  Passage out;
  out.title = title_of(get_string(hit, "title"));
  out.url = one_line(get_string(hit, "url"), kAddressMax);
  out.text = get_string(hit, "text");
  out.span = span_of(hit);
  bool believed = !out.span.doc.empty() && out.span.end - out.span.start == out.text.size();
  if (!believed) out.span = {fmt::format("{}{}/{}", kToolDocument, tool, key), 0, out.text.size()};
  return out;
}

std::vector<Passage> passages_of(const std::string& tool, const std::string& key, const ToolOutput& output) {
  std::vector<Passage> out;
  auto json = parse_json(output.text);
  if (json && find(*json, "hits") != nullptr && find(*json, "hits")->is_array()) {
    std::size_t number = 0;
    for (const auto& hit : *find(*json, "hits"))
      out.push_back(passage_of(hit, tool, fmt::format("{}/{}", key, number++)));
  } else if (json && find(*json, "text") != nullptr) {
    out.push_back(passage_of(*json, tool, key));
  } else {
    Passage whole{.id = {}, .title = tool, .url = {}, .span = {}, .text = to_valid_utf8(output.text)};
    whole.span = {fmt::format("{}{}/{}", kToolDocument, tool, key), 0, whole.text.size()};
    out.push_back(std::move(whole));
  }
  return out;
}

// The sentence of a passage that bears a text out best.
Stretch best_sentence(std::string_view text, std::string_view passage) {
  Stretch best;
  double most = 0;
  for (auto sentence : sentences_of(passage)) {
    auto held = coverage(text, passage.substr(sentence.start, sentence.end - sentence.start));
    if (held <= most) continue;
    most = held;
    best = sentence;
  }
  return best;
}

Finding finding_at(const Passage& passage, Stretch at, std::string text, std::size_t quote_max = kQuoteMax) {
  at.end = std::max(at.start, whole_character(passage.text, std::min(at.end, at.start + quote_max)));
  Finding out;
  out.quote = passage.text.substr(at.start, at.end - at.start);
  out.text = std::move(text);
  // Beside its title a sentence says more: "It was founded in 1961" names nobody.
  if (support(out.text, out.quote + " " + passage.title) < kFindingSupport)
    out.text = one_line(out.quote, kTextMax);
  out.title = passage.title;
  out.url = passage.url;
  out.span = {passage.span.doc, passage.span.start + at.start, passage.span.start + at.end};
  out.artefact = artefact_id(passage);
  return out;
}

std::string digest_of(const Json& json) {
  std::string all;
  for (const char* key : {"text", "quote", "title", "url", "doc", "artefact"})
    all += get_string(json, key) + '\0';
  all += fmt::format("{}-{}", get_int(json, "start", -1), get_int(json, "end", -1));
  return fmt::format("{:016x}", stable_hash(all));
}

bool is_new(const std::vector<Finding>& findings, const Finding& one) {
  return std::ranges::none_of(findings, [&](const Finding& other) { return other.span == one.span; });
}

}  // namespace

std::string title_of(std::string_view title) { return one_line(title, kTitleMax); }

std::string artefact_id(const Passage& passage) {
  auto where = fmt::format("{}:{}-{}", passage.span.doc, passage.span.start, passage.span.end);
  return fmt::format("{:016x}", stable_hash(passage.text, stable_hash(where)));
}

Json to_json(const Passage& passage) {
  return Json{{"doc", passage.span.doc}, {"start", passage.span.start}, {"end", passage.span.end},
              {"title", passage.title},  {"url", passage.url},          {"text", passage.text}};
}

std::vector<std::size_t> Shelf::add(const std::string& tool, const std::string& key,
                                    const ToolOutput& output) {
  std::vector<std::size_t> out;
  for (auto& passage : passages_of(tool, key, output)) {
    if (passage.text.empty()) continue;
    auto known = by_span_.find(passage.span);
    if (known != by_span_.end()) {
      out.push_back(known->second);
      continue;
    }
    if (full()) break;
    passage.id = fmt::format("S{}", passages_.size() + 1);
    by_span_[passage.span] = passages_.size();
    out.push_back(passages_.size());
    passages_.push_back(std::move(passage));
  }
  return out;
}

const Passage* Shelf::find(std::string_view id) const {
  auto it = std::ranges::find(passages_, id, &Passage::id);
  return it == passages_.end() ? nullptr : &*it;
}

Json to_json(const Finding& f) {
  Json out{{"text", f.text},    {"quote", f.quote},      {"title", f.title},  {"url", f.url},
           {"doc", f.span.doc}, {"start", f.span.start}, {"end", f.span.end}, {"artefact", f.artefact}};
  out["digest"] = digest_of(out);
  return out;
}

bool was_altered(const Json& finding) {
  auto digest = get_string(finding, "digest");
  return !digest.empty() && digest != digest_of(finding);
}

Result<Finding> finding_from(const Json& json) {
  if (was_altered(json)) return fail(Errc::invalid_input, "a finding that is not as it was written");
  Finding out;
  out.text = one_line(get_string(json, "text"), kTextMax);
  out.quote = get_string(json, "quote");
  out.title = title_of(get_string(json, "title"));
  out.url = one_line(get_string(json, "url"), kAddressMax);
  out.span = span_of(json);
  out.artefact = get_string(json, "artefact");
  bool good = !out.quote.empty() && out.span.end - out.span.start == out.quote.size();
  if (!good) return fail(Errc::invalid_input, "a finding without the bytes it rests on");
  return out;
}

std::vector<Finding> checked_findings(const Json& answer, const Shelf& shelf, std::size_t findings_max,
                                      std::size_t& dropped) {
  std::vector<Finding> out;
  const auto* list = troupe::find(answer, "findings");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& item : *list) {
    const auto* passage = shelf.find(get_string(item, "source"));
    auto text = one_line(get_string(item, "text"), kTextMax);
    if (passage == nullptr || text.empty() || out.size() == findings_max) {
      ++dropped;
      continue;
    }
    auto at = find_quote(passage->text, get_string(item, "quote"));
    if (at.end == at.start) at = best_sentence(text, passage->text);
    if (at.end == at.start) {
      ++dropped;
      continue;
    }
    auto finding = finding_at(*passage, at, std::move(text));
    if (is_new(out, finding)) out.push_back(std::move(finding));
  }
  return out;
}

std::vector<Finding> findings_by_rule(std::string_view objective, const Shelf& shelf,
                                      std::size_t findings_max) {
  std::vector<std::pair<double, Finding>> ranked;
  for (const auto& passage : shelf.passages()) {
    for (auto sentence : sentences_of(passage.text)) {
      auto text = passage.text.substr(sentence.start, sentence.end - sentence.start);
      auto held = coverage(objective, text + " " + passage.title);
      if (held >= kRuleCoverage)
        ranked.emplace_back(held, finding_at(passage, sentence, one_line(text, kTextMax)));
    }
  }
  std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Finding> out;
  for (auto& [held, finding] : ranked) {
    if (out.size() == findings_max) break;
    if (is_new(out, finding)) out.push_back(std::move(finding));
  }
  return out;
}

std::vector<Finding> whole_passages(const Shelf& shelf) {
  std::vector<Finding> out;
  for (const auto& passage : shelf.passages())
    out.push_back(
        finding_at(passage, {0, passage.text.size()}, one_line(passage.text, kTextMax), passage.text.size()));
  return out;
}

}  // namespace troupe::research
