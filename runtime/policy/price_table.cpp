#include "runtime/policy/price_table.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <set>
#include <tuple>

namespace troupe::policy {
namespace {

constexpr std::array<std::string_view, 10> kGeographies = {"us.", "eu.", "apac.",   "jp.",     "au.",
                                                           "ca.", "in.", "us-gov.", "global.", "sa."};

struct PricedModel {
  std::string_view model;
  bool global = false;
};

PricedModel without_geography(std::string_view model, std::string_view region) {
  for (auto prefix : kGeographies)
    if (model.starts_with(prefix)) return {model.substr(prefix.size()), prefix == "global."};
  return {model, region == "global"};
}

bool scope_fits(std::string_view scope, bool global) {
  return scope.empty() || (scope == "global") == global;
}

double factor_of(const std::vector<PriceFactor>& factors, std::string_view provider, std::string_view kind) {
  for (const auto& row : factors)
    if (row.provider == provider && row.kind == kind) return row.factor;
  return 1;
}

int number_in(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (auto c : text.substr(at, digits)) value = c < '0' || c > '9' ? -100'000 : value * 10 + (c - '0');
  return value;
}

}  // namespace

bool is_date(std::string_view text) { return midnight_of(text).has_value(); }

std::optional<WallTime> midnight_of(std::string_view date) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
  int year = number_in(date, 0, 4), month = number_in(date, 5, 2), day = number_in(date, 8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  std::chrono::year_month_day that{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!that.ok()) return std::nullopt;
  auto since = std::chrono::sys_days(that).time_since_epoch();
  return WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

std::string date_of(WallTime wall) {
  auto days = std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(wall.ms));
  std::chrono::year_month_day date{std::chrono::sys_days(days)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

const PriceRow* find_price(const PriceTable& table, std::string_view provider, std::string_view model,
                           std::string_view region, std::string_view date) {
  auto wanted = without_geography(model, region);
  const PriceRow* best = nullptr;
  for (const auto& row : table.models) {
    bool same = row.provider == provider && row.model == wanted.model && scope_fits(row.scope, wanted.global);
    if (!same || row.from > date) continue;
    if (best == nullptr || row.from > best->from) best = &row;
  }
  return best;
}

Price price_of(const PriceRow& row, double input_tokens) {
  bool is_long = row.long_from > 0 && input_tokens > row.long_from;
  Price price;
  price.input = is_long ? row.long_input : row.input;
  price.output = is_long ? row.long_output : row.output;
  auto cache_read = is_long && row.long_cache_read > 0 ? row.long_cache_read : row.cache_read;
  price.cache_read = cache_read > 0 ? cache_read : price.input;
  price.cache_write = row.cache_write > 0 ? row.cache_write : price.input;
  price.cache_write_1h = row.cache_write_1h;
  return price;
}

std::optional<double> unit_price(const PriceTable& table, std::string_view unit, std::string_view model,
                                 std::string_view term, std::string_view region, std::string_view date) {
  const UnitPrice* best = nullptr;
  for (const auto& row : table.units) {
    bool same = row.unit == unit && row.term == term && (row.model.empty() || row.model == model);
    if (same && row.from <= date && (best == nullptr || row.from > best->from)) best = &row;
  }
  if (best == nullptr) return std::nullopt;
  auto factor = region == "global" ? 1 : factor_of(table.unit_factors, best->provider, "regional");
  return best->usd_per_hour * factor;
}

std::vector<std::string> problems_of(const PriceTable& table) {
  std::vector<std::string> out;
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen;
  for (std::size_t i = 0; i < table.models.size(); ++i) {
    const auto& row = table.models[i];
    auto at = fmt::format("models[{}] ({} {}): ", i, row.provider, row.model);
    if (!is_date(row.from)) out.push_back(at + "`from` must be a date, yyyy-mm-dd");
    bool scoped = row.scope.empty() || row.scope == "global" || row.scope == "regional";
    if (!scoped) out.push_back(at + "`scope` is global, regional or absent");
    for (double each : {row.input, row.output, row.cache_read, row.cache_write, row.cache_write_1h,
                        row.batch_input, row.batch_output, row.long_from, row.long_input, row.long_output})
      if (each < 0) out.push_back(at + "a price is below 0");
    if (!seen.insert({row.provider, row.model, row.scope, row.from}).second)
      out.push_back(at + "there are two rows of that day and scope");
  }
  for (std::size_t i = 0; i < table.units.size(); ++i) {
    const auto& row = table.units[i];
    bool sound = is_date(row.from) && row.usd_per_hour > 0;
    if (!sound)
      out.push_back(fmt::format("units[{}] ({} {}): needs a date and a price", i, row.unit, row.model));
  }
  return out;
}

}  // namespace troupe::policy
