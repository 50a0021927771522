// What a call could cost at most, before it is known who will serve it: for setting budgets aside.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/published.hpp"
#include "runtime/config/config.hpp"

#include <troupe/completion.hpp>

#include <functional>

namespace troupe::actors {

using ListPrices = std::function<double(const CompletionRequest&, const Usage&)>;
/// Those of the present configuration; empty: everything is free.
using PriceCell = Published<ListPrices>;
/// Always the cell's present ones.
ListPrices present_prices(std::shared_ptr<const PriceCell> cell);

/// USD of `usage` at the dearest endpoint of the feature's models, at today's prices; 0 for a feature nobody
/// configured and for models without a price. Thread-safe.
ListPrices list_prices(const config::Config& config, Clock& clock);

}  // namespace troupe::actors
