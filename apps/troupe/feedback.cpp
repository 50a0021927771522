// The verb that tells what people think of answers, draws whom to ask, and reports.
#include "apps/troupe/command.hpp"
#include "apps/troupe/cost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace troupe::app {
namespace {

struct FeedbackOptions {
  AskerOptions asker;
  bool json = false;
  /// [ID] up|down
  std::vector<std::string> words;
  std::string decision, run, step, endpoint, rater, note, surface, since, by = "feature,model";
  double share = 0;
};
using FeedbackRef = std::shared_ptr<FeedbackOptions>;

template <class Show>
int ask_feedback(const FeedbackOptions& options, const std::string& verb, const Json& input, Show show) {
  auto asker = make_asker(options.asker);
  if (!asker) return report_error(asker.error());
  auto told = (*asker)->ask(verb, input);
  if (!told) {
    auto status = report_error(told.error());
    return told.error().code == Errc::not_found ? kInputMissing : status;
  }
  if (options.json) {
    std::printf("%s\n", dump_json(*told, 2).c_str());
    return kDone;
  }
  return show(*told);
}

Json answer_of(const FeedbackOptions& options) {
  return {{"decision", options.decision},
          {"run", options.run},
          {"step", options.step},
          {"surface", options.surface}};
}

int show_rated(const Json& told) {
  auto node = get_string(told, "node"), endpoint = get_string(told, "endpoint");
  const auto* counted = find(told, "counted");
  if (counted == nullptr) {
    std::printf("%s on node %s\n", endpoint.c_str(), node.c_str());
    return kDone;
  }
  if (!get_bool(told, "counted")) {
    std::printf("%s has rated it before: %g stands\n", get_string(told, "rater").c_str(),
                get_double(told, "score"));
    return kDone;
  }
  auto arm = get_string(told, "arm");
  std::printf("kept for %s: %s by %s at %s%s\n", get_string(told, "feature").c_str(),
              fmt::format("{:g}", get_double(told, "score")).c_str(), get_string(told, "model").c_str(),
              endpoint.c_str(), arm.empty() ? "" : (", arm " + arm).c_str());
  if (auto why = get_string(told, "breaker"); !why.empty())
    std::printf("its breaker was not told: %s\n", why.c_str());
  return kDone;
}

std::optional<bool> is_up(const std::string& word) {
  if (word == "up" || word == "good") return true;
  if (word == "down" || word == "bad") return false;
  return std::nullopt;
}

int rate_answer(FeedbackOptions options) {
  if (options.words.size() == 2) options.decision = options.words[0];
  auto up = options.words.empty() ? std::nullopt : is_up(options.words.back());
  if (!up)
    return report_error(make_error(Errc::invalid_input, "a rating is up or down: troupe feedback ID up"));
  auto input = answer_of(options);
  input["good"] = *up;
  input["endpoint"] = options.endpoint;
  input["rater"] = options.rater.empty() ? operator_name() : options.rater;
  input["note"] = options.note;
  return ask_feedback(options, "feedback", input, show_rated);
}

int draw_answer(const FeedbackOptions& options) {
  auto input = answer_of(options);
  input["share"] = options.share;
  return ask_feedback(options, "feedback.ask", input, [](const Json& told) {
    std::printf("%s\n", get_bool(told, "ask") ? "ask" : "do not ask");
    return kDone;
  });
}

std::string percent_of(const Json& line, const char* key) {
  const auto* value = find(line, key);
  if (value == nullptr || !value->is_number()) return "-";
  return fmt::format("{:.1f}%", 100 * value->get<double>());
}

std::string interval_of(const Json& line, const char* key) {
  const auto* value = find(line, key);
  if (value == nullptr || !value->is_object()) return "-";
  auto ends =
      fmt::format("{:.1f} to {:.1f}%", 100 * get_double(*value, "low"), 100 * get_double(*value, "high"));
  return find(*value, "mean") == nullptr ? ends : percent_of(*value, "mean") + ", " + ends;
}

/// What everyone thinks, as far as it can be known.
std::string everyone(const Json& line) {
  if (get_string(line, "basis") == "answered") return interval_of(line, "estimate");
  return get_int(line, "asked") > 0 ? interval_of(line, "bounds") : "-";
}

std::vector<std::string> cells_of(const Json& line, const std::vector<std::string>& words) {
  std::vector<std::string> row;
  for (const auto& word : words) row.push_back(get_string(line, word));
  const auto* answers = find(line, "answers");
  row.push_back(answers != nullptr ? std::to_string(get_int(line, "answers")) : "-");
  for (auto cell :
       {percent_of(line, "shown_share"), std::to_string(get_int(line, "rated")),
        percent_of(line, "response_rate"), interval_of(line, "spoken"),
        std::to_string(get_int(line, "asked")), std::to_string(get_int(line, "asked_rated")), everyone(line)})
    row.push_back(cell);
  return row;
}

bool any_rests_on(const Json& groups, std::string_view basis) {
  return std::ranges::any_of(groups, [&](const Json& line) { return get_string(line, "basis") == basis; });
}

int show_satisfaction(const Json& groups, const std::vector<std::string>& words) {
  std::vector<std::vector<std::string>> rows(1, words);
  for (auto& word : rows[0]) std::ranges::transform(word, word.begin(), ::toupper);
  for (auto head :
       {"ANSWERS", "SHOWN", "RATED", "RATE", "GOOD, OF WHO SPOKE", "ASKED", "ANSWERED", "GOOD, OF ALL"})
    rows[0].emplace_back(head);
  for (const auto& line : groups) rows.push_back(cells_of(line, words));
  std::fputs(table(rows).c_str(), stdout);
  if (any_rests_on(groups, "volunteers"))
    std::puts(
        "-: nobody was asked at random. Who speaks unasked does so because of what they say, so nothing\n"
        "   unbiased can be said of all.");
  if (any_rests_on(groups, "partly_answered"))
    std::puts("Without one figure: some who were asked kept silent; the truth lies in between.");
  return kDone;
}

std::vector<std::string> groups_asked(const std::string& by) {
  std::vector<std::string> words(1);
  for (char c : by) {
    if (c == ',')
      words.emplace_back();
    else
      words.back().push_back(c);
  }
  return words;
}

int report_feedback(const FeedbackOptions& options) {
  Json input{{"by", options.by}};
  if (!options.since.empty()) {
    CostOptions span;
    span.since = options.since;
    auto since = span_of(span);
    if (!since) return report_error(since.error());
    input["since_ms"] = since->from.ms;
  }
  auto by = groups_asked(options.by);
  return ask_feedback(options, "feedback.report", input,
                      [&by](const Json& groups) { return show_satisfaction(groups, by); });
}

void add_answer_options(CLI::App& verb, const FeedbackRef& options) {
  verb.add_option("--run", options->run, "Instead of a decision: the run, and");
  verb.add_option("--step", options->step, "the key of its step");
  verb.add_option("--surface", options->surface, "Where the answer was shown");
}

void add_words(CLI::App& feedback, const FeedbackRef& options, Action& action) {
  auto* ask =
      feedback.add_subcommand("ask", "Shall somebody be asked about this answer? Drawn at random, and kept");
  ask->add_option("decision", options->decision, "The answer's decision");
  ask->add_option("--share", options->share, "Of how many answers somebody is asked, above 0 to 1")
      ->required();
  add_answer_options(*ask, options);
  ask->callback([options, &action] { action = [options] { return draw_answer(*options); }; });
  auto* report = feedback.add_subcommand("report", "What people think, by what they were shown");
  report->add_option("--by", options->by, "feature, tenant, arm, model, endpoint, surface")
      ->capture_default_str();
  report->add_option("--since", options->since, "90m, 24h, 7d or a date");
  report->callback([options, &action] { action = [options] { return report_feedback(*options); }; });
  for (auto* verb : {ask, report}) {
    add_asker_options(*verb, options->asker);
    verb->add_flag("--json", options->json, "JSON instead of words");
  }
}

}  // namespace

void add_feedback(CLI::App& app, Action& action) {
  auto options = std::make_shared<FeedbackOptions>();
  auto* verb =
      app.add_subcommand("feedback", "What somebody thinks of an answer: troupe feedback ID up|down");
  add_asker_options(*verb, options->asker);
  verb->add_flag("--json", options->json, "JSON instead of words");
  verb->add_option("words", options->words, "The answer's decision, then up or down")->expected(0, 2);
  add_answer_options(*verb, options);
  verb->add_option("--endpoint", options->endpoint, "Tells this endpoint's breaker alone; nothing is kept");
  verb->add_option("--rater", options->rater, "Who; counts once for each answer (default: $USER)");
  verb->add_option("--note", options->note, "In their own words; kept");
  verb->callback([verb, options, &action] {
    if (verb->get_subcommands().empty()) action = [options] { return rate_answer(*options); };
  });
  add_words(*verb, options, action);
}

}  // namespace troupe::app
