// `troupe cost reconcile`: a bill beside the books.
#include "apps/troupe/cost.hpp"

#include "runtime/config/config.hpp"
#include "runtime/policy/price_table.hpp"
#include "runtime/policy/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace troupe::app {
namespace {

using policy::MicroUsd;
constexpr std::int64_t kBookDayMs = 86'400'000;

std::string cents(MicroUsd micro) { return fmt::format("{:.2f}", static_cast<double>(micro) / 1e6); }
double dollars(MicroUsd micro) { return static_cast<double>(micro) / 1e6; }

Result<std::map<std::string, double>> rates_of(const std::vector<std::string>& texts) {
  std::map<std::string, double> rates;
  for (const auto& text : texts) {
    auto cut = text.find('=');
    char* end = nullptr;
    auto number = cut == std::string::npos ? 0 : std::strtod(text.c_str() + cut + 1, &end);
    if (!(number > 0) || end == nullptr || *end != '\0')
      return fail(Errc::invalid_input, "--rate wants CURRENCY=USD, as EUR=1.08, not " + text);
    rates[text.substr(0, cut)] = number;
  }
  return rates;
}

// A bill may call a provider as our configuration does, or by its cloud's name.
std::string billed_name(const policy::FocusResource& resource, const std::set<std::string>& on_bill) {
  return on_bill.contains(resource.account) ? resource.account : resource.provider_name;
}

/// Day by day, since a bill has days: tokens and shares of reserved hours by feature.
std::vector<policy::BookedLine> books_of(const std::vector<policy::LedgerLine>& lines,
                                         std::vector<policy::ReservedPool> pools, Span span,
                                         const std::map<std::string, policy::FocusResource>& resources,
                                         const std::set<std::string>& on_bill) {
  std::map<std::int64_t, std::vector<policy::LedgerLine>> by_day;
  for (const auto& line : lines) by_day[line.hour.ms / kBookDayMs].push_back(line);
  if (by_day.empty()) return {};
  // As `cost` takes them: reserved hours without a beginning begin with the first attempt's hour.
  auto earliest = std::ranges::min(lines, {}, [](const auto& line) { return line.hour.ms; }).hour.ms;
  WallTime first{std::max(span.from.ms, earliest)};
  for (auto& pool : pools) pool.since = std::max(pool.since, first);
  std::vector<policy::BookedLine> out;
  for (auto day = first.ms / kBookDayMs; day * kBookDayMs < span.to.ms; ++day) {
    WallTime from{day * kBookDayMs}, to{std::min(span.to.ms, (day + 1) * kBookDayMs)};
    for (const auto& charge : policy::charges_of(by_day[day], pools, from, to)) {
      auto it = resources.find(charge.endpoint);
      auto name = it != resources.end() ? billed_name(it->second, on_bill) : "unknown";
      auto sku = it != resources.end() ? it->second.sku : charge.endpoint;
      auto who = charge.kind == policy::ChargeKind::idle ? std::string("(idle)") : charge.feature;
      auto micro = (charge.effective + (charge.effective < 0 ? -500 : 500)) / 1000;
      if (micro != 0) out.push_back({policy::date_of(from), name, sku, who, micro});
    }
  }
  return out;
}

// A bill of days that may still change says nothing.
bool settled(const policy::ReconciledProvider& each) { return each.from <= each.to; }

Json to_json(const policy::Reconciliation& found) {
  Json out;
  out["providers"] = Json::array();
  for (const auto& each : found.providers) {
    Json one{{"provider", each.provider},
             {"from", each.from},
             {"to", each.to},
             {"billed_usd", dollars(each.billed)},
             {"booked_usd", dollars(each.booked)},
             {"residual_usd", dollars(each.residual())},
             {"credits_usd", dollars(each.credits)},
             {"billed_later_usd", dollars(each.billed_later)},
             {"booked_later_usd", dollars(each.booked_later)},
             {"agrees", settled(each) ? Json(each.agrees) : Json()}};
    one["skus"] = Json::array();
    for (const auto& sku : each.skus)
      one["skus"].push_back({{"sku", sku.sku},
                             {"billed_usd", dollars(sku.billed)},
                             {"booked_usd", dollars(sku.booked)},
                             {"residual_usd", dollars(sku.residual())}});
    out["providers"].push_back(std::move(one));
  }
  out["features"] = Json::object();
  for (const auto& [name, micro] : found.by_feature) out["features"][name] = dollars(micro);
  out["unbilled"] = Json::object();
  for (const auto& [name, micro] : found.unbilled) out["unbilled"][name] = dollars(micro);
  out["residual_usd"] = dollars(found.residual);
  return out;
}

void print_reconciliation(const policy::Reconciliation& found) {
  std::vector<std::vector<std::string>> rows{
      {"PROVIDER", "SKU", "FROM", "TO", "BILLED", "BOOKED", "RESIDUAL", "CREDITS", "AGREES"}};
  for (const auto& each : found.providers) {
    rows.push_back({each.provider, "all", each.from, each.to, cents(each.billed), cents(each.booked),
                    cents(each.residual()), cents(each.credits),
                    !settled(each) ? "nothing settled"
                    : each.agrees  ? "yes"
                                   : "no"});
    for (const auto& sku : each.skus)
      rows.push_back(
          {"", sku.sku, "", "", cents(sku.billed), cents(sku.booked), cents(sku.residual()), "", ""});
    if (each.billed_later != 0 || each.booked_later != 0)
      rows.push_back({"", "not settled yet", each.to, "", cents(each.billed_later), cents(each.booked_later),
                      "", "", ""});
  }
  for (const auto& [name, micro] : found.unbilled)
    rows.push_back({name, "no bill", "", "", "", cents(micro), "", "", ""});
  std::fputs(table(rows).c_str(), stdout);
  std::vector<std::vector<std::string>> features{{"FEATURE", "BOOKED"}};
  for (const auto& [name, micro] : found.by_feature) features.push_back({name, cents(micro)});
  features.push_back({"(residual)", cents(found.residual)});
  std::fputs(("\n" + table(features)).c_str(), stdout);
}

Result<policy::Reconciliation> reconciled(const CostOptions& options) {
  auto rates = rates_of(options.rates);
  if (!rates) return std::unexpected(rates.error());
  auto text = read_file(options.bill);
  if (!text) return std::unexpected(text.error());
  auto bill = policy::parse_bill(*text, *rates);
  if (!bill) return fail(bill.error().code, options.bill + ": " + bill.error().what);
  auto config = config_from(options.asker.config, {});
  if (!config) return std::unexpected(config.error());
  auto span = span_of(options);
  if (!span) return std::unexpected(span.error());
  auto lines = ledger_lines(options, "hour,feature,endpoint", *span);
  if (!lines) return std::unexpected(lines.error());
  std::set<std::string> on_bill;
  for (const auto& line : *bill) on_bill.insert(line.provider);
  auto booked = books_of(*lines, config::reserved_pools(config->values()), *span,
                         config::focus_resources(config->values()), on_bill);
  return policy::reconcile(*bill, booked, {options.settle_days, options.tolerance});
}

}  // namespace

int reconcile_bill(const CostOptions& options) {
  auto found = reconciled(options);
  if (!found) return report_error(found.error());
  if (options.json || options.format == "json") {
    std::printf("%s\n", dump_json(to_json(*found), 2).c_str());
    return kDone;
  }
  print_reconciliation(*found);
  return kDone;
}

}  // namespace troupe::app
