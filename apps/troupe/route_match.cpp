// `troupe route match`: which model fits which feature, from judged answers; and the `quality` to configure.
#include "apps/troupe/command.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/config/config.hpp"
#include "runtime/policy/model_match.hpp"
#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ranges>

namespace troupe::app {
namespace {

constexpr std::size_t kJudgedAnswersMax = 5'000'000;
constexpr std::int64_t kScoresGoodForMs = 90 * 86'400'000LL;

struct MatchOptions {
  std::string file, config, format = "table", expires;
  std::optional<double> usd_max, seconds_max;
  std::uint64_t tokens = 0;
  double margin = policy::MatchLimits{}.quality_margin;
  bool together = false;
};

// What the configuration knows of a model: the widest window among its endpoints, and their prices. Reserved
// capacity is paid for by the hour, whoever leads, so its calls have none; and what nobody priced is not
// free.
struct KnownModels {
  policy::ContextWindows windows;
  std::map<std::string, std::vector<policy::Price>> prices;
};

Result<KnownModels> known_models(const std::string& file) {
  KnownModels known;
  if (file.empty()) return known;
  auto config = config::load_config(file);
  if (!config) return std::unexpected(config.error());
  for (const auto& endpoint : config->endpoints.list) {
    auto& window = known.windows[endpoint.model];
    window = std::max<std::uint64_t>(window, endpoint.context_tokens_max);
    bool priced = endpoint.price.input > 0 || endpoint.price.output > 0;
    if (endpoint.kind == policy::CapacityKind::reserved || !priced) continue;
    known.prices[endpoint.model].push_back(endpoint.price);
  }
  return known;
}

std::optional<double> number_in(const Json& line, const char* key) {
  const auto* value = find(line, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

Result<void> check_amounts(const Json& line) {
  for (const char* key : {"usd", "seconds", "input_tokens", "output_tokens"}) {
    const auto* value = find(line, key);
    if (value == nullptr || value->is_null()) continue;
    auto amount = number_in(line, key);
    if (!amount || !(*amount >= 0) || !std::isfinite(*amount))
      return fail(Errc::invalid_input, fmt::format("wants \"{}\" to be a number, not below 0", key));
  }
  return {};
}

// At the endpoint where just this answer is cheapest: one may ask less for what is read, another for what is
// written.
std::optional<double> usd_in(const Json& line, const KnownModels& known, const std::string& model) {
  if (auto usd = number_in(line, "usd")) return usd;
  auto input = number_in(line, "input_tokens"), output = number_in(line, "output_tokens");
  auto prices = known.prices.find(model);
  if (prices == known.prices.end() || !input || !output) return std::nullopt;
  auto usd_at = [&](const policy::Price& price) {
    return (*input * price.input + *output * price.output) / 1e6;
  };
  return std::ranges::min(prices->second | std::views::transform(usd_at));
}

Result<policy::JudgedAnswer> judged_in(const Json& line, const KnownModels& known) {
  policy::JudgedAnswer answer{.feature = get_string(line, "feature"),
                              .model = get_string(line, "model"),
                              .question = get_string(line, "question")};
  if (answer.feature.empty() || answer.model.empty() || answer.question.empty())
    return fail(Errc::invalid_input, "wants \"feature\", \"model\" and \"question\", all words");
  auto score = number_in(line, "score");
  if (!score || !(*score >= 0 && *score <= 1))
    return fail(Errc::invalid_input, "wants a \"score\" from 0 to 1");
  answer.score = *score;
  if (auto sound = check_amounts(line); !sound) return std::unexpected(sound.error());
  answer.usd = usd_in(line, known, answer.model);
  answer.seconds = number_in(line, "seconds");
  return answer;
}

Result<policy::JudgedAnswer> judged_in_line(std::string_view line, const MatchOptions& options,
                                            const KnownModels& known) {
  auto json = parse_json(line);
  if (!json) return std::unexpected(json.error());
  auto answer = judged_in(*json, known);
  if (!answer || !options.together) return answer;
  answer->question = answer->feature + "/" + answer->question;
  answer->feature = "all";
  return answer;
}

Result<std::vector<policy::JudgedAnswer>> judged_answers(const MatchOptions& options,
                                                         const KnownModels& known) {
  auto text = read_file(options.file);
  if (!text) return std::unexpected(text.error());
  std::vector<policy::JudgedAnswer> answers;
  std::string_view rest = *text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    auto line = take_line(rest);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto answer = judged_in_line(line, options, known);
    if (!answer)
      return fail(Errc::invalid_input, fmt::format("{}:{}: {}", options.file, number, answer.error().what));
    if (answers.size() == kJudgedAnswersMax)
      return fail(Errc::invalid_input, fmt::format("more than {} judged answers", kJudgedAnswersMax));
    answers.push_back(*std::move(answer));
  }
  if (answers.empty()) return fail(Errc::invalid_input, options.file + " holds no judged answer");
  return answers;
}

std::string sign_of(const policy::FeatureMatch& feature, std::size_t place) {
  const auto& model = feature.models[place];
  if (!model.unfit.empty()) return model.unfit;
  if (place > 0) return {};
  if (feature.better + feature.worse == 0) return "leads";
  return fmt::format("leads: better {}, worse {}{}", feature.better, feature.worse,
                     feature.lead_is_shown() ? "" : ", may be luck");
}

std::string figure(const std::optional<double>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

void show_matches(const std::vector<policy::FeatureMatch>& features) {
  std::vector<std::vector<std::string>> rows{
      {"feature", "model", "answers", "quality", "at least", "usd", "p90 s", ""}};
  for (const auto& feature : features)
    for (std::size_t i = 0; i < feature.models.size(); ++i) {
      const auto& model = feature.models[i];
      rows.push_back({feature.feature, model.model, std::to_string(model.answers),
                      fmt::format("{:.3f}", model.quality.mean), fmt::format("{:.3f}", model.quality.low),
                      figure(model.usd, "{:.6f}"), figure(model.seconds_p90, "{:.2f}"), sign_of(feature, i)});
    }
  std::fputs(table(rows).c_str(), stdout);
}

// As it stands in a configuration; models that may not lead get no score and so come last.
void show_config(const std::vector<policy::FeatureMatch>& features, const std::string& expires) {
  std::printf("features:\n");
  for (const auto& feature : features) {
    std::printf("  %s:\n    quality:\n", dump_json(Json(feature.feature)).c_str());
    for (const auto& model : feature.models)
      if (model.unfit.empty())
        std::printf("      - {model: %s, lower: %.4f, expires: \"%s\"}\n",
                    dump_json(Json(model.model)).c_str(), model.quality.low, expires.c_str());
  }
}

Json json_of(const policy::ModelMatch& model) {
  Json out{{"model", model.model},     {"answers", model.answers},   {"quality", model.quality.mean},
           {"low", model.quality.low}, {"high", model.quality.high}, {"unfit", model.unfit}};
  if (model.usd) out["usd"] = *model.usd;
  if (model.seconds_p90) out["seconds_p90"] = *model.seconds_p90;
  return out;
}

void show_json(const std::vector<policy::FeatureMatch>& features) {
  Json out = Json::array();
  for (const auto& feature : features) {
    Json one{{"feature", feature.feature},
             {"leader", feature.has_leader() ? Json(feature.models.front().model) : Json()},
             {"better", feature.better},
             {"worse", feature.worse},
             {"chance", feature.chance},
             {"shown", feature.lead_is_shown()},
             {"models", Json::array()}};
    for (const auto& model : feature.models) one["models"].push_back(json_of(model));
    out.push_back(std::move(one));
  }
  std::printf("%s\n", dump_json(out, 2).c_str());
}

int match(const MatchOptions& options) {
  auto known = known_models(options.config);
  if (!known) return report_error(known.error());
  auto answers = judged_answers(options, *known);
  if (!answers) return report_error(answers.error());
  policy::MatchLimits limits{options.usd_max, options.seconds_max, options.tokens, options.margin};
  auto features = policy::match_models(*answers, limits, known->windows);
  if (options.format == "json") return show_json(features), kDone;
  WallTime later{system_clock().wall().ms + kScoresGoodForMs};
  if (options.format == "yaml")
    return show_config(features, options.expires.empty() ? policy::date_of(later) : options.expires), kDone;
  show_matches(features);
  return kDone;
}

}  // namespace

void add_route_match(CLI::App& route, Action& action) {
  auto options = std::make_shared<MatchOptions>();
  auto* verb = route.add_subcommand("match", "Which model fits which feature, from answers that were judged");
  verb->add_option(
          "answers", options->file,
          "JSON lines: {\"feature\", \"model\", \"question\", \"score\": 0 to 1, and where known \"usd\" "
          "or \"input_tokens\" and \"output_tokens\", \"seconds\"}")
      ->required();
  verb->add_option("--config", options->config, "Configuration that knows the models' windows and prices");
  verb->add_option("--usd-max", options->usd_max, "What an answer may cost in the mean, to lead");
  verb->add_option("--seconds-max", options->seconds_max, "What nine of ten answers may take, to lead");
  verb->add_option("--tokens", options->tokens, "What a request takes at most, to lead (with --config)");
  verb->add_option("--margin", options->margin, "Lower bounds this near are equal: the cheaper leads")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  verb->add_flag("--together", options->together, "All features as one");
  verb->add_option("--format", options->format, "table, json, or yaml for a configuration's `quality`")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  verb->add_flag_callback(
      "--json", [options] { options->format = "json"; }, "The same as --format json");
  verb->add_option("--expires", options->expires, "yaml: the day the scores run out (default: in 90 days)");
  verb->callback([options, &action] { action = [options] { return match(*options); }; });
}

}  // namespace troupe::app
