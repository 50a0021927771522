// Reading secrets at the moment of use, so that no Config ever holds one.
#include "runtime/config/secret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe::config {
namespace {

constexpr std::size_t kSecretBytesMax = 64 * 1024;
constexpr std::string_view kFilePrefix = "file:";

bool is_variable(std::string_view text) {
  if (text.size() < 4 || !text.starts_with("${") || !text.ends_with('}')) return false;
  auto name = text.substr(2, text.size() - 3);
  auto in_name = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !std::isdigit(static_cast<unsigned char>(name.front())) && std::ranges::all_of(name, in_name);
}

Result<std::string> secret_from_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::bad_config, fmt::format("the secret's file {} cannot be opened", path));
  std::string text(kSecretBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kSecretBytesMax)
    return fail(Errc::bad_config, fmt::format("{} is too large for a secret", path));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail(Errc::bad_config, fmt::format("the secret's file {} is empty", path));
  return text;
}

}  // namespace

std::optional<SecretRef> secret_reference(const std::string& text, const std::string& directory) {
  if (text.empty() || is_variable(text)) return SecretRef{text};
  if (!text.starts_with(kFilePrefix) || text.size() == kFilePrefix.size()) return std::nullopt;
  std::filesystem::path path(text.substr(kFilePrefix.size()));
  if (path.is_relative()) path = std::filesystem::path(directory) / path;
  return SecretRef{std::string(kFilePrefix) + path.lexically_normal().string()};
}

Result<std::string> read_secret(const SecretRef& secret) {
  const auto& text = secret.reference;
  if (text.empty()) return std::string();
  if (text.starts_with(kFilePrefix)) return secret_from_file(text.substr(kFilePrefix.size()));
  if (!is_variable(text)) return fail(Errc::bad_config, "a secret is neither ${VAR} nor file:PATH");
  auto name = text.substr(2, text.size() - 3);
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return fail(Errc::bad_config, fmt::format("the environment variable {} is not set", name));
  }
  return std::string(value);
}

}  // namespace troupe::config
