// A provider's bill against our own books: what they agree on, and what is left over (I1). Pure.
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::policy {

/// Money in millionths of a USD, so that sums are exact.
using MicroUsd = std::int64_t;

struct BillLine {
  /// On which it was used, yyyy-mm-dd.
  std::string day;
  std::string provider, sku, region, unit;
  double quantity = 0;
  /// Below 0: a credit.
  MicroUsd cost = 0;
};

/// CSV with a header; columns in any order, others are passed over:
///   day, provider, sku (or model), region, quantity, unit, cost, currency
/// `day`, `provider` and `cost` must be there. `day` may carry a time behind the date. An absent currency is
/// USD; another one needs its rate in `usd_per`. invalid_input names the line and column of what is wrong; a
/// bill is taken whole or not at all. At most 64 MiB and 1,000,000 lines.
Result<std::vector<BillLine>> parse_bill(std::string_view csv,
                                         const std::map<std::string, double>& usd_per = {});

/// What we booked: one line for each day, endpoint's provider, model and feature.
struct BookedLine {
  std::string day, provider, sku, feature;
  MicroUsd cost = 0;
};

struct ReconcilePolicy {
  /// Providers still add to the last days of a bill; those days are compared only when they have settled.
  int settle_days = 2;
  /// A residual of no more than this share of what was billed is rounding and estimates.
  double tolerance = 0.005;
};

struct ReconciledSku {
  std::string sku;
  MicroUsd billed = 0, booked = 0;
  MicroUsd residual() const { return billed - booked; }
};
struct ReconciledProvider {
  std::string provider;
  /// Compared days: from the bill's first to the last that has settled.
  std::string from, to;
  MicroUsd billed = 0, credits = 0, booked = 0;
  /// After `to`, on the bill and in our books: not compared yet.
  MicroUsd billed_later = 0, booked_later = 0;
  /// Billed (without credits) that our books do not know; below 0: booked, but not billed.
  MicroUsd residual() const { return billed - booked; }
  bool agrees = true;
  /// Where it differs most first.
  std::vector<ReconciledSku> skus;
};
struct Reconciliation {
  std::vector<ReconciledProvider> providers;
  /// Of the compared days, by our books: bills rarely know features, and their tags are often missing.
  std::map<std::string, MicroUsd> by_feature;
  /// Booked for providers that have sent no bill.
  std::map<std::string, MicroUsd> unbilled;
  /// Sums over providers; by_feature and residual together are billed, exactly.
  MicroUsd billed = 0, credits = 0, residual = 0;
};

/// Names are compared as they are: call the books' providers as the bill does. SKUs of the bill that our
/// models do not match stand on their own and show as residual, as does what was called outside Troupe.
Reconciliation reconcile(std::span<const BillLine> bill, std::span<const BookedLine> booked,
                         const ReconcilePolicy& policy = {});

}  // namespace troupe::policy
