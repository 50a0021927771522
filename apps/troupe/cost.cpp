// `troupe cost`: what calls have cost, by whom and why.
#include "apps/troupe/cost.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/config/config.hpp"
#include "runtime/policy/csv.hpp"
#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::app {
namespace {

using CostTable = std::vector<std::vector<std::string>>;

// "90m", "24h", "7d" back from now, or a date.
Result<WallTime> moment_of(const char* option, const std::string& text) {
  auto now = system_clock().wall().ms;
  char* end = nullptr;
  double number = std::strtod(text.c_str(), &end);
  std::string unit = end;
  bool sound = end != text.c_str() && number >= 0 && number < 1e6;
  for (auto [name, ms] : {std::pair{"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}})
    if (sound && unit == name) return WallTime{now - static_cast<std::int64_t>(number * ms)};
  if (auto day = policy::midnight_of(text)) return *day;
  return fail(Errc::invalid_input, fmt::format("{} wants 90m, 24h, 7d or YYYY-MM-DD, not {}", option, text));
}

policy::LedgerLine line_of(const Json& row, const std::vector<std::string>& words, WallTime begin) {
  policy::LedgerLine line;
  line.hour = begin;
  const auto* keys = find(row, "keys");
  for (std::size_t i = 0; keys != nullptr && i < words.size() && i < keys->size(); ++i) {
    auto value = (*keys)[i].is_string() ? (*keys)[i].get<std::string>() : std::string();
    if (words[i] == "hour") line.hour = policy::hour_of(value).value_or(begin);
    if (words[i] == "feature") line.feature = value;
    if (words[i] == "tenant") line.tenant = value;
    if (words[i] == "model") line.model = value;
    if (words[i] == "endpoint") line.endpoint = value;
    if (words[i] == "cause") line.cause = value;
    if (words[i] == "run") line.run = value;
    if (words[i] == "price") line.price = value;
  }
  line.attempts = static_cast<std::uint64_t>(get_int(row, "attempts"));
  line.failed = static_cast<std::uint64_t>(get_int(row, "failed"));
  line.unpriced = static_cast<std::uint64_t>(get_int(row, "unpriced"));
  line.usage.input = get_int(row, "input_tokens");
  line.usage.output = get_int(row, "output_tokens");
  line.usage.cache_read = get_int(row, "cache_read_tokens");
  line.usage.cache_write = get_int(row, "cache_write_tokens");
  line.usage.estimated = get_bool(row, "estimated");
  line.nano = get_int(row, "nano_usd");
  line.unit_hours = get_double(row, "unit_hours");
  return line;
}

std::vector<std::string> words_of(const std::string& by) {
  std::vector<std::string> words{""};
  for (char c : by) c == ',' ? words.emplace_back() : words.back() += c;
  return words;
}

std::vector<std::string> cells_of(const policy::ChargeSum& sum, std::string usd) {
  return {sum.key,
          std::to_string(sum.attempts),
          std::to_string(sum.failed),
          std::to_string(sum.usage.input_total()),
          std::to_string(sum.usage.output),
          std::move(usd)};
}

// Millionths that add up: what rounding leaves over goes to the largest remainders.
int print_table(const CostOptions& options, const std::vector<policy::ChargeSum>& sums) {
  CostTable rows{{options.by, "attempts", "failed", "input_tokens", "output_tokens", "cost_usd"}};
  policy::ChargeSum all;
  all.key = "total";
  std::vector<double> weights;
  for (const auto& sum : sums) {
    weights.push_back(static_cast<double>(sum.nano));
    all.nano += sum.nano;
    all.attempts += sum.attempts;
    all.failed += sum.failed;
    all.usage.input += sum.usage.input_total();
    all.usage.output += sum.usage.output;
  }
  auto whole = (all.nano + 500) / 1000;
  auto parts = policy::apportion(whole, weights);
  for (std::size_t i = 0; i < sums.size(); ++i)
    rows.push_back(cells_of(sums[i], policy::usd_text(parts[i] * 1000, 6)));
  rows.push_back(cells_of(all, policy::usd_text(whole * 1000, 6)));
  std::fputs(table(rows).c_str(), stdout);
  return kDone;
}

int print_csv(const CostOptions& options, const std::vector<policy::ChargeSum>& sums) {
  auto out =
      policy::csv_line({options.by, "attempts", "failed", "input_tokens", "output_tokens", "cost_usd"});
  for (const auto& sum : sums) out += policy::csv_line(cells_of(sum, policy::usd_text(sum.nano)));
  std::fputs(out.c_str(), stdout);
  return kDone;
}

int print_sums_json(const std::vector<policy::ChargeSum>& sums) {
  Json out = Json::array();
  for (const auto& sum : sums)
    out.push_back({{"key", sum.key},
                   {"attempts", sum.attempts},
                   {"failed", sum.failed},
                   {"unpriced", sum.unpriced},
                   {"input_tokens", sum.usage.input_total()},
                   {"output_tokens", sum.usage.output},
                   {"cache_read_tokens", sum.usage.cache_read},
                   {"cache_write_tokens", sum.usage.cache_write},
                   {"cost_usd", static_cast<double>(sum.nano) / static_cast<double>(policy::kNanoPerUsd)},
                   {"nano_usd", sum.nano},
                   {"unit_hours", sum.unit_hours},
                   {"estimated", sum.usage.estimated}});
  std::printf("%s\n", dump_json(out, 2).c_str());
  return kDone;
}

// Said aloud on the side: a sum that leaves something out must not look whole.
void tell_unpriced(const std::vector<policy::Charge>& charges) {
  std::uint64_t count = 0;
  for (const auto& charge : charges) count += charge.unpriced;
  if (count > 0)
    std::fprintf(stderr, "troupe: %llu attempts of models without a price are in it at 0\n",
                 static_cast<unsigned long long>(count));
}

}  // namespace

Result<Span> span_of(const CostOptions& options) {
  Span span{{}, {system_clock().wall().ms + 1}};
  if (!options.since.empty()) {
    auto from = moment_of("--since", options.since);
    if (!from) return std::unexpected(from.error());
    span.from = *from;
  }
  if (!options.until.empty()) {
    auto to = moment_of("--until", options.until);
    if (!to) return std::unexpected(to.error());
    span.to = *to;
  }
  return span;
}

Result<std::vector<policy::LedgerLine>> ledger_lines(const CostOptions& options, const std::string& by,
                                                     const Span& span) {
  auto asker = make_asker(options.asker);
  if (!asker) return std::unexpected(asker.error());
  auto told = (*asker)->ask("cost", {{"by", by}, {"since_ms", span.from.ms}, {"until_ms", span.to.ms}});
  if (!told) return std::unexpected(told.error());
  auto words = words_of(by);
  std::vector<policy::LedgerLine> lines;
  for (const auto& row : *told) lines.push_back(line_of(row, words, span.from));
  return lines;
}

Result<std::vector<policy::Charge>> charges_in(const CostOptions& options, const config::Config& config,
                                               Span span) {
  auto pools = config::reserved_pools(config);
  bool fine = !pools.empty() || options.format == "focus";
  // Coarse where nothing asks for more: a long history has many hours.
  std::string by = fine ? "hour,feature,tenant,model,endpoint,cause,price" : options.by;
  if (fine && options.by == "run") by += ",run";
  auto lines = ledger_lines(options, by, span);
  if (!lines) return std::unexpected(lines.error());
  auto first = span.to;
  for (const auto& line : *lines) first = std::min(first, line.hour);
  for (auto& pool : pools)
    if (pool.since.ms == 0) pool.since = first;
  return policy::charges_of(*lines, pools, span.from, span.to);
}

int show_costs(const CostOptions& options) {
  auto config = config_from(options.asker.config, {});
  if (!config) return report_error(config.error());
  auto span = span_of(options);
  if (!span) return report_error(span.error());
  auto charges = charges_in(options, config->values(), *span);
  if (!charges) return report_error(charges.error());
  tell_unpriced(*charges);
  if (options.format == "focus") {
    std::fputs(policy::focus_csv(*charges, config::focus_resources(config->values())).c_str(), stdout);
    return kDone;
  }
  auto sums = policy::sums_by(options.by, *charges);
  if (options.json || options.format == "json") return print_sums_json(sums);
  return options.format == "csv" ? print_csv(options, sums) : print_table(options, sums);
}

namespace {

void add_reconcile(CLI::App& cost, const std::shared_ptr<CostOptions>& options, Action& action) {
  auto* verb = cost.add_subcommand("reconcile", "A provider's bill against our books");
  verb->add_option("--bill", options->bill, "CSV: day, provider, sku, region, quantity, unit, cost, currency")
      ->required();
  verb->add_option("--rate", options->rates, "What one of a currency is in USD: EUR=1.08");
  verb->add_option("--settle-days", options->settle_days, "The bill's last days, not compared yet")
      ->check(CLI::Range(0, 60))
      ->capture_default_str();
  verb->add_option("--tolerance", options->tolerance, "Share of the bill a residual may have")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->callback([options, &action] { action = [options] { return reconcile_bill(*options); }; });
}

void add_budgets(CLI::App& cost, const std::shared_ptr<CostOptions>& options, Action& action) {
  auto* verb = cost.add_subcommand("budgets", "How the day's budgets stand, and what the day will cost");
  verb->callback([options, &action] { action = [options] { return show_budgets(*options); }; });
}

void add_plan(CLI::App& cost, const std::shared_ptr<CostOptions>& options, Action& action) {
  auto* verb = cost.add_subcommand("plan", "How many units of reserved capacity would have cost least");
  verb->add_option("endpoint", options->endpoint, "An endpoint of kind reserved, with its units")->required();
  verb->add_option("--units-max", options->units_max, "As many as may be had")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  verb->callback([options, &action] { action = [options] { return plan_commitment(*options); }; });
}

}  // namespace

void add_cost(CLI::App& app, Action& action) {
  auto options = std::make_shared<CostOptions>();
  auto* verb = app.add_subcommand("cost", "What calls have cost");
  add_asker_options(*verb, options->asker);
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->add_option("--by", options->by, "feature, tenant, model, endpoint, cause or run")
      ->check(CLI::IsMember({"feature", "tenant", "model", "endpoint", "cause", "run"}))
      ->capture_default_str();
  verb->add_option("--since", options->since, "90m, 24h, 7d or a date");
  verb->add_option("--until", options->until, "Likewise; not in it any more");
  verb->add_option("--format", options->format, "table, csv, json or focus")
      ->check(CLI::IsMember({"table", "csv", "json", "focus"}))
      ->capture_default_str();
  add_reconcile(*verb, options, action);
  add_budgets(*verb, options, action);
  add_plan(*verb, options, action);
  for (auto* below : verb->get_subcommands({})) below->fallthrough();
  // Called after a verb below it, whose action stays.
  verb->callback([options, verb, &action] {
    if (verb->get_subcommands().empty()) action = [options] { return show_costs(*options); };
  });
}

}  // namespace troupe::app
