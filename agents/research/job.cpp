// To JSON and back.
#include "agents/research/job.hpp"

#include "agents/research/words.hpp"

#include <utility>

namespace troupe::research {
namespace {

// However a child came by its answer, a lead reads no more than this.
constexpr std::size_t kFindingsReadMax = 64;
constexpr std::size_t kQueriesReadMax = 64;
constexpr std::size_t kAskedReadMax = 4096;

template <class T>
Json json_list(const std::vector<T>& values) {
  Json out = Json::array();
  for (const auto& value : values) out.push_back(to_json(value));
  return out;
}

Json query_json(const AskedQuery& query) {
  return Json{{"tool", query.tool},
              {"text", query.text},
              {"terms", query.terms},
              {"turn", query.turn},
              {"shown", query.shown}};
}

std::size_t count_of(const Json& json, const char* key) {
  auto count = get_int(json, key);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

const Json& list_at(const Json& json, const char* key) {
  static const Json none = Json::array();
  const auto* list = find(json, key);
  return list != nullptr && list->is_array() ? *list : none;
}

struct ReadFindings {
  std::vector<Finding> read;
  /// Not as they were written; and others that cannot be used.
  std::size_t altered = 0, unusable = 0;
};

ReadFindings findings_at(const Json& json, const char* key) {
  ReadFindings out;
  for (const auto& item : list_at(json, key)) {
    if (out.read.size() == kFindingsReadMax) break;
    auto finding = finding_from(item);
    if (finding)
      out.read.push_back(std::move(*finding));
    else
      ++(was_altered(item) ? out.altered : out.unusable);
  }
  return out;
}

std::vector<std::string> hashes_at(const Json& json) {
  std::vector<std::string> out;
  for (const auto& hash : list_at(json, "asked"))
    if (hash.is_string() && out.size() < kAskedReadMax) out.push_back(hash.get<std::string>());
  return out;
}

std::vector<AskedQuery> queries_at(const Json& json) {
  std::vector<AskedQuery> out;
  for (const auto& item : list_at(json, "queries")) {
    if (out.size() == kQueriesReadMax) break;
    out.push_back({.tool = get_string(item, "tool"),
                   .text = one_line(get_string(item, "text"), 400),
                   .terms = count_of(item, "terms"),
                   .turn = count_of(item, "turn"),
                   .shown = count_of(item, "shown")});
  }
  return out;
}

}  // namespace

JsonText to_input(const AgentJob& job) {
  auto given = parse_json(job.input.given.text);
  Json out = given ? std::move(*given) : Json::object();
  out["agent"] = Json{{"task", to_json(job.task)},
                      {"plan", job.plan},
                      {"known", json_list(job.known)},
                      {"asked", job.asked},
                      {"share", job.share}};
  return {dump_json(out)};
}

Result<AgentJob> read_agent_job(const JsonText& input) {
  auto asked = read_research_input(input);
  if (!asked) return std::unexpected(asked.error());
  auto json = parse_json(input.text);
  if (!json) return std::unexpected(json.error());
  const auto* agent = find(*json, "agent");
  const auto* task = agent == nullptr ? nullptr : find(*agent, "task");
  if (task == nullptr) return fail(Errc::invalid_input, "agent: expected the task a lead gives");
  AgentJob out;
  out.input = std::move(*asked);
  out.task = delegation_from(*task);
  out.plan = one_line(get_string(*agent, "plan"), 2000);
  auto known = findings_at(*agent, "known");
  out.known = std::move(known.read);
  out.altered_known = known.altered;
  out.share = get_string(*agent, "share");
  for (auto& hash : hashes_at(*agent)) out.asked.insert(std::move(hash));
  return out;
}

JsonText to_text(const AgentReport& r) {
  Json queries = Json::array();
  for (const auto& query : r.queries) queries.push_back(query_json(query));
  Json out{{"objective", r.objective},
           {"findings", json_list(r.findings)},
           {"sufficient", r.sufficient},
           {"missing", r.missing},
           {"stopped", r.stopped},
           {"queries", std::move(queries)},
           {"asked", r.asked},
           {"sources", r.sources},
           {"repeats", r.repeats},
           {"tool_errors", r.tool_errors},
           {"refused_calls", r.refused_calls},
           {"dropped_findings", r.dropped_findings},
           {"narrow_first", r.narrow_first},
           {"spend", to_json(r.spend)}};
  if (r.altered_known > 0) out["altered_known"] = r.altered_known;
  return {dump_json(out)};
}

Result<AgentReport> read_agent_report(const JsonText& text) {
  auto json = parse_json(text.text);
  if (!json) return std::unexpected(json.error());
  AgentReport out;
  out.objective = get_string(*json, "objective");
  auto findings = findings_at(*json, "findings");
  out.findings = std::move(findings.read);
  out.altered_findings = findings.altered + count_of(*json, "altered_known");
  out.sufficient = get_bool(*json, "sufficient");
  out.missing = one_line(get_string(*json, "missing"), 600);
  out.stopped = get_string(*json, "stopped");
  out.queries = queries_at(*json);
  out.asked = hashes_at(*json);
  out.sources = count_of(*json, "sources");
  out.repeats = count_of(*json, "repeats");
  out.tool_errors = count_of(*json, "tool_errors");
  out.refused_calls = count_of(*json, "refused_calls");
  out.dropped_findings = count_of(*json, "dropped_findings") + findings.unusable;
  out.narrow_first = count_of(*json, "narrow_first");
  if (const auto* spend = find(*json, "spend")) out.spend = spend_from(*spend);
  return out;
}

}  // namespace troupe::research
