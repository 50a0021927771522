// From a file's bytes to a validated Config.
#include "runtime/base/clock.hpp"
#include "runtime/config/price_file.hpp"
#include "runtime/config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe::config {
namespace {

constexpr std::size_t kConfigBytesMax = 4u << 20;
constexpr std::size_t kProblemsShown = 20;

bool is_unpriced(const policy::Price& price) {
  return price.input == 0 && price.output == 0 && price.cache_read == 0 && price.cache_write == 0;
}

// What an entry leaves open is taken from where the file says it once.
void complete_endpoints(Config& config, const policy::PriceTable& prices) {
  auto today = policy::date_of(system_clock().wall());
  for (auto& endpoint : config.endpoints.list) {
    if (endpoint.remote_model.empty()) endpoint.remote_model = endpoint.model;
    auto provider = config.providers.find(endpoint.provider);
    if (endpoint.region.empty() && provider != config.providers.end())
      endpoint.region = provider->second.region;
    auto price = config.prices.models.find(endpoint.remote_model);
    if (is_unpriced(endpoint.price) && price != config.prices.models.end()) endpoint.price = price->second;
    if (!is_unpriced(endpoint.price)) endpoint.tariff.fixed = endpoint.price;
    if (provider != config.providers.end())
      complete_prices(endpoint, prices, price_list_of(provider->second.dialect), today);
  }
  for (auto& endpoint : config.simulator.endpoints) {
    if (endpoint.credentials.verify) endpoint.credentials = simulated_credentials();
  }
}

// The line of the option, or of the nearest one above it that is in the file.
int line_of(const ReadContext& context, std::string path) {
  while (!path.empty()) {
    if (auto it = context.lines.find(path); it != context.lines.end()) return it->second;
    auto cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return 1;
}

std::string described(const ReadContext& context, const std::string& name) {
  std::string out;
  std::size_t shown = 0;
  for (const auto& [line, problem] : context.problems) {
    if (shown++ == kProblemsShown) {
      out += fmt::format("\nand {} more", context.problems.size() - kProblemsShown);
      break;
    }
    out += fmt::format("{}{}:{}: {}: {}", shown == 1 ? "" : "\n", name, line, problem.path, problem.what);
  }
  return out;
}

Result<YAML::Node> parse_yaml(std::string_view text, const std::string& name) {
  try {
    return YAML::Load(std::string(text));
  } catch (const YAML::ParserException& error) {
    return fail(Errc::bad_config, fmt::format("{}:{}: not YAML: {}", name, error.mark.line + 1, error.msg));
  } catch (const std::exception&) {
    return fail(Errc::bad_config, fmt::format("{}:1: not YAML", name));
  }
}

Result<void> read_root(const YAML::Node& root, Config& config, ReadContext& context,
                       const std::string& name) {
  if (root.IsNull()) return {};
  if (!root.IsMap())
    return fail(Errc::bad_config, fmt::format("{}:1: expected \"key: value\" options", name));
  try {
    MappingReader reader(root, "", context);
    fields(reader, config);
    reader.finish();
  } catch (const YAML::Exception& error) {
    return fail(Errc::bad_config, fmt::format("{}:{}: {}", name, error.mark.line + 1, error.msg));
  }
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name, const std::string& directory) {
  if (text.size() > kConfigBytesMax) {
    return fail(Errc::bad_config, fmt::format("{}:1: larger than {} bytes", name, kConfigBytesMax));
  }
  auto root = parse_yaml(text, name);
  if (!root) return std::unexpected(root.error());
  Config config;
  ReadContext context{.directory = directory};
  if (auto read = read_root(*root, config, context, name); !read) return std::unexpected(read.error());
  policy::PriceTable prices;
  if (!config.prices.file.empty()) {
    auto path = std::filesystem::path(directory) / config.prices.file;
    auto loaded = load_prices(path.string());
    if (!loaded) return std::unexpected(loaded.error());
    prices = std::move(*loaded);
  }
  complete_endpoints(config, prices);
  complete_tools(config.tools, directory);
  auto where = [&](const std::string& path) {
    return fmt::format("{}:{}: {}", name, line_of(context, path), path);
  };
  auto found = load_choices(config, directory);
  std::ranges::move(load_schedules(config, directory, where), std::back_inserter(found));
  for (auto& problem : found) {
    auto line = line_of(context, problem.path);
    context.problems.push_back({line, std::move(problem)});
  }
  // A value that could not be read kept its default; judging that would only add noise.
  if (context.problems.empty()) {
    for (auto& problem : validate(config)) {
      auto line = line_of(context, problem.path);
      context.problems.push_back({line, std::move(problem)});
    }
  }
  if (context.problems.empty()) return config;
  std::ranges::stable_sort(context.problems, {}, &ReadContext::At::line);
  return fail(Errc::bad_config, described(context, name));
}

Result<Config> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigBytesMax + 1, '\0');
  if (!file || std::filesystem::is_directory(path)) {
    return fail(Errc::input_missing, fmt::format("{}: the configuration cannot be opened", path));
  }
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto directory = std::filesystem::absolute(path).parent_path().string();
  return parse_config(text, path, directory);
}

Config demo_config() {
  auto config = parse_config(demo_config_text(), "demo.yaml");
  // A test loads it; a build whose demo does not load must not get this far.
  return config ? std::move(*config) : Config{};
}

}  // namespace troupe::config
