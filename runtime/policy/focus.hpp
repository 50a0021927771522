// Charges as the FinOps Open Cost and Usage Specification has them, version 1.0 (focus.finops.org). Pure.
#pragma once

#include "runtime/policy/charges.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace troupe::policy {

/// What a charge's endpoint is to its provider.
struct FocusResource {
  /// "AWS" and "Amazon Bedrock"; and our name of the provider, which stands for the billing account, as we
  /// do not know its number.
  std::string provider_name, service_name, account;
  std::string region;
  /// What the provider calls the model.
  std::string sku;
};

/// The 43 columns of version 1.0, then ours: x_Feature, x_Tenant, x_Model, x_Cause, x_Run, x_Attempts,
/// x_InputTokens, x_OutputTokens, x_PriceVersion.
const std::vector<std::string>& focus_columns();

/// A header and a line for each charge. ListUnitPrice is the mean over the line's kinds of tokens, so that
/// times PricingQuantity it is ListCost: the ledger keeps an attempt's cost, not each kind's. What is not
/// known is empty.
std::string focus_csv(std::span<const Charge> charges, const std::map<std::string, FocusResource>& resources);

}  // namespace troupe::policy
