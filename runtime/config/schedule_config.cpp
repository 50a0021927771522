#include "runtime/config/schedule_config.hpp"

#include "runtime/config/config.hpp"
#include "runtime/config/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace troupe::config {
namespace {

constexpr std::uint32_t kCatchUpMax = 1000;
constexpr Duration kJitterMax = std::chrono::hours(24);
constexpr std::size_t kSlotNameMax = 100;

// Both stand in a run's id, "SCHEDULE/TENANT@SLOT".
bool is_slot_name(const std::string& name) {
  auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= kSlotNameMax && std::ranges::all_of(name, fits);
}

// Names of zones beside the one that is not there.
std::string zone_hint(const std::string& name) {
  const char* root = std::getenv("TZDIR");
  std::filesystem::path folder = root != nullptr && *root != 0 ? root : "/usr/share/zoneinfo";
  auto cut = name.find_last_of('/');
  auto area = cut == std::string::npos ? std::string() : name.substr(0, cut + 1);
  if (area.find("..") != std::string::npos) return {};
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator(folder / area, none))
    names.push_back(area + each.path().filename().string());
  std::ranges::sort(names);
  return did_you_mean(name, names);
}

class ScheduleLoad {
 public:
  explicit ScheduleLoad(Config& config) : config_(config) {}

  std::vector<Problem> run(const std::string& directory,
                           const std::function<std::string(const std::string&)>& where) {
    find_files(directory);
    for (const auto& [name, tenant] : config_.tenants)
      if (!tenant.zone.empty()) (void)zone("tenants." + name + ".zone", tenant.zone);
    for (auto& [name, schedule] : config_.schedules) {
      auto path = "schedules." + name;
      schedule.where = where(path + ".workflow");
      if (!is_slot_name(name))
        add(path, fmt::format("its name may have 1 to {} letters, digits, '.', '_' and '-'", kSlotNameMax));
      check_bounds(path, schedule);
      make_rules(path, schedule);
    }
    return std::move(problems_);
  }

 private:
  void add(std::string path, std::string what) { problems_.push_back({std::move(path), std::move(what)}); }

  void find_files(const std::string& directory) {
    for (std::size_t i = 0; i < config_.workflows.size(); ++i) {
      auto& file = config_.workflows[i];
      file = (std::filesystem::absolute(directory) / file).lexically_normal().string();
      std::error_code none;
      if (!std::filesystem::is_regular_file(file, none))
        add(fmt::format("workflows[{}]", i), fmt::format("there is no file {}", file));
    }
  }

  TimeZone zone(const std::string& path, const std::string& name) {
    if (name == "UTC") return TimeZone::utc();
    auto loaded = TimeZone::load(name);
    if (loaded) return std::move(*loaded);
    add(path, loaded.error().what + zone_hint(name));
    return TimeZone::utc();
  }

  void check_bounds(const std::string& path, const ScheduleConfig& schedule) {
    if (schedule.workflow.empty()) add(path + ".workflow", "must name a workflow");
    if (schedule.catch_up_max == 0 || schedule.catch_up_max > kCatchUpMax)
      add(path + ".catch_up_max", fmt::format("must be from 1 to {}", kCatchUpMax));
    if (schedule.jitter > kJitterMax)
      add(path + ".jitter", fmt::format("at most {}", duration_text(kJitterMax)));
    if (auto wrong = check_slot_template(schedule.input.text)) add(path + ".input", *wrong);
  }

  std::vector<std::string> tenants_of(const std::string& path, const ScheduleConfig& schedule) {
    std::vector<std::string> all, out;
    for (const auto& [name, tenant] : config_.tenants) all.push_back(name);
    if (schedule.tenants.empty()) return {"default"};
    for (std::size_t i = 0; i < schedule.tenants.size(); ++i) {
      const auto& name = schedule.tenants[i];
      auto entry = fmt::format("{}.tenants[{}]", path, i);
      if (name != "*" && std::ranges::find(all, name) == all.end())
        add(entry, fmt::format("there is no tenant \"{}\"{}", name, did_you_mean(name, all)));
      if (name == "*" && all.empty()) add(entry, "there are no tenants; name them under `tenants`");
      if (name == "*")
        out.insert(out.end(), all.begin(), all.end());
      else
        out.push_back(name);
    }
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  void make_rules(const std::string& path, ScheduleConfig& schedule) {
    auto cron = policy::parse_cron(schedule.cron);
    if (!cron) return add(path + ".cron", cron.error().what);
    auto fallback = zone(path + ".zone", schedule.zone);
    for (const auto& name : tenants_of(path, schedule)) {
      if (!is_slot_name(name))
        add(path + ".tenants", fmt::format("the name of tenant \"{:.100}\" may have 1 to {} letters, digits, "
                                           "'.', '_' and '-'",
                                           name, kSlotNameMax));
      auto tenant = config_.tenants.find(name);
      bool own = tenant != config_.tenants.end() && !tenant->second.zone.empty();
      policy::ScheduleRule rule;
      rule.cron = *cron;
      rule.zone = own ? TimeZone::load(tenant->second.zone).value_or(TimeZone::utc()) : fallback;
      rule.catch_up = schedule.catch_up;
      rule.catch_up_max = schedule.catch_up_max;
      rule.grace = schedule.grace;
      rule.jitter = schedule.jitter;
      schedule.rules.push_back({name, std::move(rule)});
    }
  }

  Config& config_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> load_schedules(Config& config, const std::string& directory,
                                    const std::function<std::string(const std::string& path)>& where) {
  return ScheduleLoad(config).run(directory, where);
}

}  // namespace troupe::config
