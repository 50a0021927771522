#include "apps/troupe/command.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::app {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+$%") == std::string::npos;
}

// Display width: bytes that begin a UTF-8 sequence. Right for the Latin text our tables hold.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

Exit exit_for(const Error& error) {
  switch (error.code) {
    case Errc::invalid_input:
    case Errc::bad_request: return kBadInput;
    case Errc::input_missing: return kInputMissing;
    case Errc::bad_config:
    case Errc::auth:
    // The state folder that was configured cannot be used: not ours, damaged, held by another process, full.
    case Errc::storage: return kBadConfig;
    case Errc::internal: return kOurBug;
    case Errc::cancelled: return kInterrupted;
    default: return kNoEndpoint;
  }
}

int report_error(const Error& error) {
  std::fprintf(stderr, "troupe: %s (%s)\n", error.what.c_str(), to_string(error.code));
  return exit_for(error);
}

int report_cancelled(const std::string& run_id) {
  std::fprintf(stderr, "troupe: run %s was cancelled\n", run_id.c_str());
  return kBadInput;
}

int report_usage(const Error& error) {
  if (error.code != Errc::unsupported) return report_error(error);
  std::fprintf(stderr, "troupe: %s\n", error.what.c_str());
  return kUsage;
}

Result<Config> config_from(const std::string& file, const std::string& state_dir) {
  if (file.empty()) {
    auto demo = Config::demo();
    return state_dir.empty() ? demo : demo.with_state_dir(state_dir);
  }
  auto config = Config::load(file);
  if (!config || state_dir.empty()) return config;
  return config->with_state_dir(state_dir);
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::input_missing, fmt::format("{}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<void> write_file(const std::string& path, std::string_view text) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  auto beside = path + ".part";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.flush();
    if (!file)
      return fail(Errc::input_missing, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  std::error_code error;
  std::filesystem::rename(beside, path, error);
  if (error) return fail(Errc::input_missing, fmt::format("cannot write {}: {}", path, error.message()));
  return {};
}

Result<void> check_writable(const std::string& folder) {
  auto probe = (std::filesystem::path(folder) / ".troupe-probe").string();
  auto written = write_file(probe, " ");
  std::error_code ignored;
  std::filesystem::remove(probe, ignored);
  if (!written) return fail(Errc::input_missing, fmt::format("--out {}: {}", folder, written.error().what));
  return {};
}

std::string operator_name() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : fmt::format("uid {}", ::getuid());
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string pad(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (is_number(row[i]) ? pad + row[i] : row[i] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace troupe::app
