#include "runtime/policy/focus.hpp"

#include "runtime/policy/csv.hpp"

#include <fmt/format.h>

#include <chrono>

namespace troupe::policy {
namespace {

std::string focus_time(WallTime at) {
  auto moment = std::chrono::milliseconds(at.ms);
  auto day = std::chrono::floor<std::chrono::days>(moment);
  std::chrono::year_month_day date{std::chrono::sys_days(day)};
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(moment - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), seconds / 3600,
                     seconds / 60 % 60, seconds % 60);
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string tags_of(const Charge& charge) {
  std::string out;
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"cause", charge.cause},
                                    {"feature", charge.feature},
                                    {"model", charge.model},
                                    {"tenant", charge.tenant}})
    if (!value.empty()) out += fmt::format("{}\"{}\": {}", out.empty() ? "" : ", ", name, json_text(value));
  return "{" + out + "}";
}

using Cells = std::map<std::string, std::string>;

void put_money(Cells& cells, const Charge& charge) {
  cells["BilledCost"] = usd_text(charge.billed);
  cells["EffectiveCost"] = usd_text(charge.effective);
  // Neither discounts nor contracts are known here, so the list's is the contract's.
  bool bought = charge.kind == ChargeKind::purchase;
  auto list = bought ? charge.billed : charge.effective;
  cells["ListCost"] = cells["ContractedCost"] = usd_text(list);
  cells["BillingCurrency"] = "USD";
  bool hours = charge.kind != ChargeKind::tokens;
  auto quantity =
      hours ? charge.unit_hours : static_cast<double>(charge.usage.input_total() + charge.usage.output);
  cells["PricingQuantity"] = fmt::format("{}", quantity);
  cells["PricingUnit"] = hours ? "Unit-Hours" : "Tokens";
  if (quantity > 0) {
    auto each = static_cast<double>(list) / static_cast<double>(kNanoPerUsd) / quantity;
    cells["ListUnitPrice"] = cells["ContractedUnitPrice"] = fmt::format("{:.15f}", each);
  }
  if (bought) return;
  cells["ConsumedQuantity"] = cells["PricingQuantity"];
  cells["ConsumedUnit"] = cells["PricingUnit"];
}

void put_kind(Cells& cells, const Charge& charge) {
  bool bought = charge.kind == ChargeKind::purchase, tokens = charge.kind == ChargeKind::tokens;
  cells["ChargeCategory"] = bought ? "Purchase" : "Usage";
  cells["ChargeFrequency"] = bought ? "Recurring" : "Usage-Based";
  cells["PricingCategory"] = tokens || bought ? "Standard" : "Committed";
  if (tokens) return;
  cells["CommitmentDiscountId"] = cells["CommitmentDiscountName"] = charge.endpoint;
  cells["CommitmentDiscountType"] = "Reserved capacity";
  cells["CommitmentDiscountCategory"] = "Usage";
  if (!bought) cells["CommitmentDiscountStatus"] = charge.kind == ChargeKind::used ? "Used" : "Unused";
}

void put_place(Cells& cells, const Charge& charge, const FocusResource* resource) {
  cells["ResourceId"] = cells["ResourceName"] = charge.endpoint;
  cells["ResourceType"] = "Model endpoint";
  cells["ServiceCategory"] = "AI and Machine Learning";
  cells["ServiceName"] = cells["ProviderName"] = "Unknown";
  if (resource != nullptr) {
    cells["ProviderName"] = resource->provider_name;
    cells["ServiceName"] = resource->service_name;
    cells["BillingAccountId"] = cells["BillingAccountName"] = resource->account;
    cells["RegionId"] = cells["RegionName"] = resource->region;
    cells["SkuId"] = resource->sku;
    cells["SkuPriceId"] = charge.price.empty() ? "" : resource->sku + "@" + charge.price;
  }
  cells["PublisherName"] = cells["InvoiceIssuerName"] = cells["ProviderName"];
}

Cells cells_of(const Charge& charge, const FocusResource* resource) {
  Cells cells;
  put_money(cells, charge);
  put_kind(cells, charge);
  put_place(cells, charge, resource);
  cells["ChargePeriodStart"] = focus_time(charge.from);
  cells["ChargePeriodEnd"] = focus_time(charge.to);
  cells["BillingPeriodStart"] = focus_time(month_of(charge.from));
  cells["BillingPeriodEnd"] = focus_time(month_after(charge.from));
  cells["ChargeDescription"] = fmt::format("{} of {}", to_string(charge.kind), charge.endpoint);
  cells["Tags"] = tags_of(charge);
  cells["x_Feature"] = charge.feature;
  cells["x_Tenant"] = charge.tenant;
  cells["x_Model"] = charge.model;
  cells["x_Cause"] = charge.cause;
  cells["x_Run"] = charge.run;
  cells["x_PriceVersion"] = charge.price;
  if (charge.kind != ChargeKind::tokens) return cells;
  cells["x_Attempts"] = std::to_string(charge.attempts);
  cells["x_InputTokens"] = std::to_string(charge.usage.input_total());
  cells["x_OutputTokens"] = std::to_string(charge.usage.output);
  return cells;
}

}  // namespace

const std::vector<std::string>& focus_columns() {
  static const std::vector<std::string> columns{
      "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
      "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
      "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountCategory",
      "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType",
      "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost",
      "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
      "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
      "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
      // Ours.
      "x_Feature", "x_Tenant", "x_Model", "x_Cause", "x_Run", "x_Attempts", "x_InputTokens", "x_OutputTokens",
      "x_PriceVersion"};
  return columns;
}

std::string focus_csv(std::span<const Charge> charges,
                      const std::map<std::string, FocusResource>& resources) {
  auto out = csv_line(focus_columns());
  for (const auto& charge : charges) {
    auto resource = resources.find(charge.endpoint);
    auto cells = cells_of(charge, resource != resources.end() ? &resource->second : nullptr);
    std::vector<std::string> fields;
    for (const auto& column : focus_columns()) fields.push_back(cells[column]);
    out += csv_line(fields);
  }
  return out;
}

}  // namespace troupe::policy
