#include "actors/desk_feedback.hpp"

#include "actors/desk_health.hpp"
#include "actors/run_history.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/policy/assignment.hpp"
#include "runtime/policy/satisfaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>

namespace troupe::actors {
namespace {

/// An answer that a model gave, as a row without anybody's word on it.
struct GivenAnswer {
  journal::FeedbackRow row;
  WallTime answered;
};

WallTime wall_of(const DeskServices& services) {
  return services.clock != nullptr ? services.clock->wall() : system_clock().wall();
}

/// Which decision a recorded step's answer followed; empty: it does not say.
Result<std::string> decision_behind(const DeskServices& services, const std::string& run,
                                    const std::string& step) {
  auto entries = services.journal->history(run);
  if (!entries) return std::unexpected(entries.error());
  auto history = RunHistory::read(*entries);
  const auto* recorded = history ? history->find(step) : nullptr;
  const auto* answer = recorded != nullptr ? std::get_if<Answer>(&recorded->what) : nullptr;
  return answer != nullptr && !answer->attempts.empty() ? answer->attempts.back().decision : std::string();
}

/// The answer's run, step, decision and arm.
Result<journal::FeedbackRow> name_answer(const DeskServices& services, const Json& input) {
  journal::FeedbackRow named;
  named.decision = get_string(input, "decision");
  named.run_id = get_string(input, "run");
  named.step_key = get_string(input, "step");
  bool by_decision = !named.decision.empty();
  if (!by_decision && (named.run_id.empty() || named.step_key.empty()))
    return fail(Errc::invalid_input,
                "which answer? give a decision, a run and one of its steps, or an endpoint");
  if (!by_decision) {
    auto behind = decision_behind(services, named.run_id, named.step_key);
    if (!behind) return std::unexpected(behind.error());
    named.decision = std::move(*behind);
  }
  if (named.decision.empty()) return named;
  auto decision = services.journal->decision(named.decision);
  if (!decision) return std::unexpected(decision.error());
  if (*decision) named.arm = (*decision)->arm;
  if (!by_decision) return named;
  if (!*decision)
    return fail(Errc::not_found,
                fmt::format("no decision {} is kept here (the newest {} are); a run and its step name an "
                            "answer for ever",
                            named.decision, journal::kDecisionsKept));
  named.run_id = (*decision)->run_id;
  named.step_key = (*decision)->step_key;
  if (named.run_id.empty())
    return fail(Errc::not_found, fmt::format("decision {} was made for no step of a run", named.decision));
  return named;
}

Result<GivenAnswer> find_answer(const DeskServices& services, const Json& input) {
  auto named = name_answer(services, input);
  if (!named) return std::unexpected(named.error());
  auto rows = services.journal->usage({.run_id = named->run_id});
  if (!rows) return std::unexpected(rows.error());
  auto answered = std::find_if(rows->rbegin(), rows->rend(), [&](const auto& row) {
    return row.step_key == named->step_key && row.error.empty();
  });
  if (answered == rows->rend())
    return fail(Errc::not_found,
                fmt::format("run {} has no answered step \"{}\"", named->run_id, named->step_key));
  named->feature = answered->feature;
  named->tenant = answered->tenant;
  named->model = answered->model;
  named->endpoint = answered->endpoint;
  named->surface = get_string(input, "surface");
  named->node = services.node;
  named->at = wall_of(services);
  return GivenAnswer{std::move(*named),
                     {answered->started.ms + answered->total / std::chrono::milliseconds(1)}};
}

/// Durable when it returns.
Result<void> keep_row(journal::Journal& journal, const journal::FeedbackRow& row) {
  auto kept = std::make_shared<std::promise<Result<void>>>();
  auto outcome = kept->get_future();
  journal::Batch batch;
  batch.feedback.push_back(row);
  journal.append(std::move(batch), [kept](Result<void> done) { kept->set_value(std::move(done)); });
  return outcome.get();
}

/// What the rater said of this answer before, or that it was drawn.
Result<std::optional<journal::FeedbackRow>> earlier_word(const DeskServices& services,
                                                         const journal::FeedbackRow& row) {
  auto rows = services.journal->feedback({.run_id = row.run_id, .step_key = row.step_key});
  if (!rows) return std::unexpected(rows.error());
  auto same = std::ranges::find(*rows, row.rater, &journal::FeedbackRow::rater);
  return same == rows->end() ? std::nullopt : std::optional(std::move(*same));
}

Json answer_json(const journal::FeedbackRow& row, bool counted) {
  return {{"counted", counted}, {"score", row.score},       {"run", row.run_id},    {"step", row.step_key},
          {"rater", row.rater}, {"feature", row.feature},   {"tenant", row.tenant}, {"arm", row.arm},
          {"model", row.model}, {"endpoint", row.endpoint}, {"node", row.node}};
}

/// Thumbs are 0 and 1.
Result<double> score_in(const Json& input) {
  const auto* good = find(input, "good");
  const auto* score = find(input, "score");
  if (score == nullptr && (good == nullptr || !good->is_boolean()))
    return fail(Errc::invalid_input, "was the answer good? say true or false, or a score");
  double value = score != nullptr ? get_double(input, "score", -1) : good->get<bool>() ? 1 : 0;
  if (!(value >= 0 && value <= 1)) return fail(Errc::invalid_input, "a score lies between 0 and 1");
  return value;
}

void rate_endpoint(const DeskServices& services, const Json& input, double score, const Reply& reply) {
  auto ms = get_int(input, "answered_ms");
  tell_breaker(services,
               {get_string(input, "endpoint"), score >= 0.5, ms > 0 ? WallTime{ms} : wall_of(services)},
               reply);
}

// The rating is safe by now, whatever becomes of the breaker.
void tell_and_reply(const DeskServices& services, const GivenAnswer& given, const Reply& reply) {
  auto answer = answer_json(given.row, true);
  FeedbackObserved fact{given.row.endpoint, given.row.score >= 0.5, given.answered};
  tell_breaker(services, fact, [answer, reply](Result<std::string> told) mutable {
    if (!told) answer["breaker"] = told.error().what;
    auto place = told ? parse_json(*told) : fail(Errc::not_found, "");
    if (place) answer["node"] = get_string(*place, "node");
    reply(dump_json(answer));
  });
}

// ---- reports ----

constexpr std::array<std::pair<std::string_view, std::string journal::FeedbackRow::*>, 6> kGroupings{
    {{"feature", &journal::FeedbackRow::feature},
     {"tenant", &journal::FeedbackRow::tenant},
     {"arm", &journal::FeedbackRow::arm},
     {"model", &journal::FeedbackRow::model},
     {"endpoint", &journal::FeedbackRow::endpoint},
     {"surface", &journal::FeedbackRow::surface}}};

struct Grouping {
  std::vector<std::string> words;
  std::vector<std::string journal::FeedbackRow::*> members;
  std::vector<std::string> keys_of(const journal::FeedbackRow& row) const {
    std::vector<std::string> keys;
    for (auto member : members) keys.push_back(row.*member);
    return keys;
  }
  /// The ledger knows neither arms nor surfaces.
  bool in_ledger() const {
    return std::ranges::none_of(words, [](const auto& word) { return word == "arm" || word == "surface"; });
  }
};

Result<Grouping> read_grouping(const std::string& by) {
  Grouping grouping;
  std::string_view rest = by;
  for (bool more = true; more;) {
    auto cut = std::min(rest.find(','), rest.size());
    auto known =
        std::ranges::find(kGroupings, rest.substr(0, cut), [](const auto& each) { return each.first; });
    if (known == kGroupings.end() || std::ranges::count(grouping.words, known->first) > 0)
      return fail(
          Errc::invalid_input,
          fmt::format("feedback by '{}': feature, tenant, arm, model, endpoint and surface, each once", by));
    grouping.words.emplace_back(known->first);
    grouping.members.push_back(known->second);
    more = cut < rest.size();
    rest.remove_prefix(more ? cut + 1 : cut);
  }
  return grouping;
}

using GroupKeys = std::vector<std::string>;
using RatedGroups = std::map<GroupKeys, std::vector<policy::RatedAnswer>>;

/// Ratings of one answer are one: the mean of those who spoke.
RatedGroups rated_groups(const std::vector<journal::FeedbackRow>& rows, const Grouping& grouping) {
  struct Said {
    GroupKeys keys;
    double sum = 0, raters = 0, asked_share = 0;
  };
  std::map<std::pair<std::string, std::string>, Said> answers;
  for (const auto& row : rows) {
    auto& said = answers[{row.run_id, row.step_key}];
    if (said.keys.empty()) said.keys = grouping.keys_of(row);
    if (row.rater.empty()) said.asked_share = row.asked_share;
    if (!row.rater.empty()) said.sum += row.score, ++said.raters;
  }
  RatedGroups groups;
  for (const auto& [answer, said] : answers)
    groups[said.keys].push_back(
        {said.raters > 0 ? said.sum / said.raters : 0, said.raters > 0, said.asked_share});
  return groups;
}

/// How many answers each group was shown; our own calls are nobody's to see.
Result<std::map<GroupKeys, std::uint64_t>> shown_answers(const DeskServices& services,
                                                         const Grouping& grouping, WallTime since) {
  std::string by;
  for (const auto& word : grouping.words) by += word + ",";
  auto sums = services.journal->cost(by + "cause", {.since = since});
  if (!sums) return std::unexpected(sums.error());
  std::map<GroupKeys, std::uint64_t> shown;
  for (auto& sum : *sums) {
    auto cause = std::move(sum.keys.back());
    sum.keys.pop_back();
    bool ours = cause == "shadow" || cause == "probe" || cause == "judge";
    if (!ours) shown[sum.keys] += sum.attempts - sum.failed;
  }
  return shown;
}

Json mean_json(const policy::MeanEstimate& estimate) {
  return {{"mean", estimate.mean}, {"low", estimate.low}, {"high", estimate.high}};
}

Json group_json(const Grouping& grouping, const GroupKeys& keys,
                const std::vector<policy::RatedAnswer>& answers) {
  auto report = policy::satisfaction(answers);
  Json line = Json::object();
  for (std::size_t i = 0; i < keys.size(); ++i) line[grouping.words[i]] = keys[i];
  line["rated"] = report.rated;
  line["spoken"] = report.rated > 0 ? mean_json(report.spoken) : Json();
  line["asked"] = report.asked;
  line["asked_rated"] = report.asked_rated;
  line["basis"] = to_string(report.basis);
  line["estimate"] = report.asked_rated > 0 ? mean_json(report.asked_mean) : Json();
  line["bounds"] = {{"low", report.low}, {"high", report.high}};
  return line;
}

void put_shown(Json& line, std::uint64_t answers, std::uint64_t all) {
  auto share = [](double part, std::uint64_t whole) {
    return whole > 0 ? Json(part / static_cast<double>(whole)) : Json();
  };
  line["answers"] = answers;
  line["shown_share"] = share(static_cast<double>(answers), all);
  line["response_rate"] = share(get_double(line, "rated"), answers);
}

std::string rater_in(const Json& input) {
  auto rater = get_string(input, "rater");
  return rater.empty() ? "anyone" : rater;
}

}  // namespace

void feedback(const DeskServices& services, const Json& input, const Reply& reply) {
  auto score = score_in(input);
  if (!score) return reply(std::unexpected(score.error()));
  if (!get_string(input, "endpoint").empty()) return rate_endpoint(services, input, *score, reply);
  auto given = find_answer(services, input);
  if (!given) return reply(std::unexpected(given.error()));
  auto& row = given->row;
  row.rater = rater_in(input);
  row.note = get_string(input, "note");
  row.score = *score;
  auto before = earlier_word(services, row);
  if (!before) return reply(std::unexpected(before.error()));
  if (*before) return reply(dump_json(answer_json(**before, false)));
  if (auto kept = keep_row(*services.journal, row); !kept) return reply(std::unexpected(kept.error()));
  tell_and_reply(services, *given, reply);
}

void feedback_ask(const DeskServices& services, const Json& input, const Reply& reply) {
  auto share = get_double(input, "share", -1);
  if (!(share > 0 && share <= 1))
    return reply(fail(Errc::invalid_input, "which share is asked? give a share above 0, at most 1"));
  auto given = find_answer(services, input);
  if (!given) return reply(std::unexpected(given.error()));
  auto& row = given->row;
  auto answer = stable_hash(row.step_key, stable_hash(row.run_id));
  if (policy::unit_point(policy::namespace_hash("feedback", "asked"), answer) >= share)
    return reply(dump_json(Json{{"ask", false}}));
  row.asked_share = share;
  auto kept = keep_row(*services.journal, row);
  if (!kept) return reply(std::unexpected(kept.error()));
  reply(dump_json(Json{{"ask", true}, {"run", row.run_id}, {"step", row.step_key}}));
}

void feedback_report(const DeskServices& services, const Json& input, const Reply& reply) {
  auto grouping = read_grouping(get_string(input, "by", "feature,model"));
  if (!grouping) return reply(std::unexpected(grouping.error()));
  WallTime since{get_int(input, "since_ms")};
  auto rows = services.journal->feedback({.since = since});
  if (!rows) return reply(std::unexpected(rows.error()));
  auto groups = rated_groups(*rows, *grouping);
  std::map<GroupKeys, std::uint64_t> shown;
  if (grouping->in_ledger()) {
    auto counted = shown_answers(services, *grouping, since);
    if (!counted) return reply(std::unexpected(counted.error()));
    shown = std::move(*counted);
  }
  std::uint64_t all = 0;
  for (const auto& [keys, answers] : shown) all += answers, groups[keys];
  Json out = Json::array();
  for (const auto& [keys, answers] : groups) {
    auto line = group_json(*grouping, keys, answers);
    if (grouping->in_ledger()) put_shown(line, shown[keys], all);
    out.push_back(std::move(line));
  }
  reply(dump_json(out));
}

}  // namespace troupe::actors
