#include "runtime/config/price_file.hpp"

#include "runtime/config/reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe::policy {

template <class V>
void fields(V& v, PriceRow& x) {
  v("provider", x.provider);
  v("model", x.model);
  v("scope", x.scope);
  v("from", x.from);
  v("input", x.input);
  v("output", x.output);
  v("cache_read", x.cache_read);
  v("cache_write", x.cache_write);
  v("cache_write_1h", x.cache_write_1h);
  v("batch_input", x.batch_input);
  v("batch_output", x.batch_output);
  v("long_from", x.long_from);
  v("long_input", x.long_input);
  v("long_output", x.long_output);
  v("long_cache_read", x.long_cache_read);
}
template <class V>
void fields(V& v, UnitPrice& x) {
  v("provider", x.provider);
  v("unit", x.unit);
  v("model", x.model);
  v("term", x.term);
  v("from", x.from);
  v("usd_per_hour", x.usd_per_hour);
}
template <class V>
void fields(V& v, PriceFactor& x) {
  v("provider", x.provider);
  v("kind", x.kind);
  v("factor", x.factor);
}
template <class V>
void fields(V& v, PriceTable& x) {
  v("as_of", x.as_of);
  v("models", x.models);
  v("factors", x.factors);
  v("units", x.units);
  v("unit_factors", x.unit_factors);
}

}  // namespace troupe::policy

namespace troupe::config {
namespace {

constexpr std::size_t kPricesBytesMax = 4u << 20;

}  // namespace

Result<policy::PriceTable> parse_prices(std::string_view text, const std::string& name) {
  if (text.size() > kPricesBytesMax)
    return fail(Errc::bad_config, fmt::format("{}:1: larger than {} bytes", name, kPricesBytesMax));
  policy::PriceTable table;
  ReadContext context;
  try {
    auto root = YAML::Load(std::string(text));
    if (!root.IsMap()) return fail(Errc::bad_config, fmt::format("{}:1: expected a price list", name));
    MappingReader reader(root, "", context);
    policy::fields(reader, table);
    reader.finish();
  } catch (const YAML::Exception& error) {
    return fail(Errc::bad_config, fmt::format("{}:{}: not YAML: {}", name, error.mark.line + 1, error.msg));
  }
  std::vector<std::string> problems;
  for (const auto& [line, problem] : context.problems)
    problems.push_back(fmt::format("{}:{}: {}: {}", name, line, problem.path, problem.what));
  for (const auto& problem : policy::problems_of(table)) problems.push_back(name + ": " + problem);
  if (!problems.empty()) return fail(Errc::bad_config, fmt::format("{}", fmt::join(problems, "\n")));
  return table;
}

Result<policy::PriceTable> load_prices(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    return fail(Errc::input_missing, path + ": the price list cannot be opened");
  std::string text(kPricesBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_prices(text, path);
}

std::string price_list_of(std::string_view dialect) {
  if (dialect.starts_with("bedrock")) return "bedrock";
  if (dialect.starts_with("vertex")) return "vertex";
  if (dialect.starts_with("sagemaker")) return {};
  return dialect == "anthropic" ? "anthropic" : "openai";
}

}  // namespace troupe::config
