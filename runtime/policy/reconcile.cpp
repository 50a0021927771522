#include "runtime/policy/reconcile.hpp"

#include "runtime/policy/csv.hpp"
#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace troupe::policy {
namespace {

constexpr double kMicro = 1e6;
// Of one line, in USD: beyond this it is a broken file, and sums could overflow.
constexpr double kBillCostMax = 1e9;

/// Where the columns of a bill are.
struct BillColumns {
  std::optional<std::size_t> day, provider, sku, region, quantity, unit, cost, currency;
};

std::string small_letters(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Result<BillColumns> columns_of(const CsvRow& header) {
  BillColumns columns;
  const std::map<std::string, std::optional<std::size_t> BillColumns::*> known{
      {"day", &BillColumns::day},          {"provider", &BillColumns::provider},
      {"sku", &BillColumns::sku},          {"model", &BillColumns::sku},
      {"region", &BillColumns::region},    {"quantity", &BillColumns::quantity},
      {"unit", &BillColumns::unit},        {"cost", &BillColumns::cost},
      {"currency", &BillColumns::currency}};
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    auto it = known.find(small_letters(header.fields[i]));
    if (it == known.end()) continue;
    if (columns.*(it->second))
      return fail(Errc::invalid_input,
                  fmt::format("line {}: column {} is there twice", header.line, it->first));
    columns.*(it->second) = i;
  }
  for (const char* name : {"day", "provider", "cost"})
    if (!(columns.*known.at(name)))
      return fail(Errc::invalid_input, fmt::format("line {}: there is no column {}", header.line, name));
  return columns;
}

std::string field_of(const CsvRow& row, const std::optional<std::size_t>& column) {
  return column && *column < row.fields.size() ? row.fields[*column] : std::string();
}

Result<double> number_of(const CsvRow& row, const char* name, const std::string& text) {
  if (text.empty()) return 0;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
  return fail(Errc::invalid_input, fmt::format("line {}: {} is no number", row.line, name));
}

Result<double> rate_of(const CsvRow& row, const std::string& currency,
                       const std::map<std::string, double>& usd_per) {
  if (currency.empty() || currency == "USD") return 1;
  auto it = usd_per.find(currency);
  if (it != usd_per.end() && it->second > 0) return it->second;
  return fail(Errc::invalid_input,
              fmt::format("line {}: what is one {} in USD? give its rate", row.line, currency.substr(0, 8)));
}

Result<BillLine> line_of(const CsvRow& row, const BillColumns& columns,
                         const std::map<std::string, double>& usd_per) {
  BillLine line;
  line.day = field_of(row, columns.day).substr(0, 10);
  if (!is_date(line.day))
    return fail(Errc::invalid_input, fmt::format("line {}: day is no date, yyyy-mm-dd", row.line));
  line.provider = field_of(row, columns.provider);
  if (line.provider.empty())
    return fail(Errc::invalid_input, fmt::format("line {}: provider is empty", row.line));
  auto text = field_of(row, columns.cost);
  if (text.empty()) return fail(Errc::invalid_input, fmt::format("line {}: cost is empty", row.line));
  auto cost = number_of(row, "cost", text);
  if (!cost) return std::unexpected(cost.error());
  auto rate = rate_of(row, field_of(row, columns.currency), usd_per);
  if (!rate) return std::unexpected(rate.error());
  auto quantity = number_of(row, "quantity", field_of(row, columns.quantity));
  if (!quantity) return std::unexpected(quantity.error());
  if (!(std::abs(*cost * *rate) <= kBillCostMax))
    return fail(Errc::invalid_input, fmt::format("line {}: cost is beyond all reason", row.line));
  line.cost = std::llround(*cost * *rate * kMicro);
  line.quantity = *quantity;
  line.sku = field_of(row, columns.sku);
  line.region = field_of(row, columns.region);
  line.unit = field_of(row, columns.unit);
  return line;
}

std::string days_before(const std::string& day, int days) {
  return date_of({midnight_of(day).value_or(WallTime{}).ms - days * std::int64_t{86'400'000}});
}

/// One provider on its way.
struct Comparison {
  ReconciledProvider out;
  std::map<std::string, ReconciledSku> skus;
};
using Comparisons = std::map<std::string, Comparison>;

Comparisons windows_of(std::span<const BillLine> bill, const ReconcilePolicy& policy) {
  Comparisons all;
  for (const auto& line : bill) {
    auto& out = all[line.provider].out;
    out.provider = line.provider;
    if (out.from.empty() || line.day < out.from) out.from = line.day;
    out.to = std::max(out.to, line.day);
  }
  for (auto& [name, each] : all) each.out.to = days_before(each.out.to, std::max(0, policy.settle_days));
  return all;
}

void enter_bill(Comparisons& all, std::span<const BillLine> bill) {
  for (const auto& line : bill) {
    auto& each = all.at(line.provider);
    if (line.cost < 0) {
      each.out.credits += line.cost;
    } else if (line.day > each.out.to) {
      each.out.billed_later += line.cost;
    } else {
      each.out.billed += line.cost;
      each.skus[line.sku].billed += line.cost;
    }
  }
}

void enter_books(Comparisons& all, std::span<const BookedLine> booked, Reconciliation& out) {
  for (const auto& line : booked) {
    auto it = all.find(line.provider);
    if (it == all.end()) {
      out.unbilled[line.provider] += line.cost;
      continue;
    }
    auto& each = it->second;
    if (line.day < each.out.from) continue;
    if (line.day > each.out.to) {
      each.out.booked_later += line.cost;
      continue;
    }
    each.out.booked += line.cost;
    each.skus[line.sku].booked += line.cost;
    out.by_feature[line.feature] += line.cost;
  }
}

}  // namespace

Result<std::vector<BillLine>> parse_bill(std::string_view csv, const std::map<std::string, double>& usd_per) {
  auto rows = parse_csv(csv);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(Errc::invalid_input, "line 1: the bill is empty");
  auto columns = columns_of(rows->front());
  if (!columns) return std::unexpected(columns.error());
  std::vector<BillLine> lines;
  for (auto row = rows->begin() + 1; row != rows->end(); ++row) {
    auto line = line_of(*row, *columns, usd_per);
    if (!line) return std::unexpected(line.error());
    lines.push_back(std::move(*line));
  }
  return lines;
}

Reconciliation reconcile(std::span<const BillLine> bill, std::span<const BookedLine> booked,
                         const ReconcilePolicy& policy) {
  Reconciliation out;
  auto all = windows_of(bill, policy);
  enter_bill(all, bill);
  enter_books(all, booked, out);
  for (auto& [name, each] : all) {
    for (auto& [sku, figures] : each.skus) {
      figures.sku = sku;
      each.out.skus.push_back(figures);
    }
    std::ranges::stable_sort(each.out.skus, std::greater<>(),
                             [](const ReconciledSku& sku) { return std::abs(sku.residual()); });
    auto allowed = policy.tolerance * static_cast<double>(each.out.billed);
    each.out.agrees = static_cast<double>(std::abs(each.out.residual())) <= allowed;
    out.billed += each.out.billed;
    out.credits += each.out.credits;
    out.residual += each.out.residual();
    out.providers.push_back(std::move(each.out));
  }
  return out;
}

}  // namespace troupe::policy
