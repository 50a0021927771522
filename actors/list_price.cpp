#include "actors/list_price.hpp"

#include "runtime/base/clock.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace troupe::actors {
namespace {

using TariffsByFeature = std::map<std::string, std::vector<policy::Tariff>>;

std::shared_ptr<const TariffsByFeature> tariffs_of(const config::Config& config) {
  auto out = std::make_shared<TariffsByFeature>();
  for (const auto& [name, feature] : config.features)
    for (const auto& endpoint : config.endpoints.list)
      if (std::ranges::find(feature.hierarchy, endpoint.model) != feature.hierarchy.end())
        (*out)[name].push_back(endpoint.tariff);
  return out;
}

}  // namespace

ListPrices present_prices(std::shared_ptr<const PriceCell> cell) {
  return [cell = std::move(cell)](const CompletionRequest& request, const Usage& usage) {
    auto prices = cell->load();
    return *prices ? (*prices)(request, usage) : 0.0;
  };
}

ListPrices list_prices(const config::Config& config, Clock& clock) {
  return [tariffs = tariffs_of(config), &clock](const CompletionRequest& request, const Usage& usage) {
    double dearest = 0;
    auto it = tariffs->find(request.feature);
    if (it == tariffs->end()) return dearest;
    for (const auto& tariff : it->second)
      dearest = std::max(dearest, policy::cost_of(tariff, usage, clock.wall()).usd);
    return dearest;
  };
}

}  // namespace troupe::actors
