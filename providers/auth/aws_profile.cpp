#include "providers/auth/aws_profile.hpp"

#include "providers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace troupe::providers {
namespace {

using Profiles = std::map<std::string, AwsProfile>;

std::string_view trimmed_line(std::string_view text) {
  auto first = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);
}

// Absent for sections that are no profiles.
std::optional<std::string> profile_name(std::string_view section, bool is_config) {
  section = trimmed_line(section);
  if (!is_config || section == "default") return std::string(section);
  if (!section.starts_with("profile ") && !section.starts_with("profile\t")) return std::nullopt;
  section = trimmed_line(section.substr(8));
  if (section.size() >= 2 && section.front() == '"' && section.back() == '"')
    section = section.substr(1, section.size() - 2);
  return std::string(section);
}

// " #" and " ;" begin a comment within a line; secrets hold neither.
std::string_view without_comment(std::string_view value) {
  for (auto mark : {" #", " ;", "\t#", "\t;"}) value = value.substr(0, value.find(mark));
  return value;
}

/// Reads one file's lines into `profiles`, keeping what is there already.
class ProfileLines {
 public:
  ProfileLines(Profiles& profiles, bool is_config) : profiles_(profiles), is_config_(is_config) {}

  bool take(std::string_view line) {
    bool indented = line.starts_with(' ') || line.starts_with('\t');
    auto text = trimmed_line(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return true;
    if (indented && in_key_) return true;
    if (text.front() == '[') return take_section(text);
    auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || !in_section_) return false;
    in_key_ = true;
    if (!name_) return true;
    auto key = to_lower(trimmed_line(text.substr(0, equals)));
    profiles_[*name_].emplace(std::move(key), trimmed_line(without_comment(text.substr(equals + 1))));
    return true;
  }

 private:
  bool take_section(std::string_view text) {
    auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    name_ = profile_name(text.substr(1, end - 1), is_config_);
    if (name_) profiles_[*name_];
    in_section_ = true;
    in_key_ = false;
    return true;
  }

  Profiles& profiles_;
  bool is_config_;
  bool in_section_ = false, in_key_ = false;
  std::optional<std::string> name_;
};

Result<void> read_profile_file(std::string_view text, bool is_config, Profiles& profiles) {
  ProfileLines lines(profiles, is_config);
  for (int number = 1; !text.empty(); ++number) {
    auto end = std::min(text.find('\n'), text.size());
    if (!lines.take(text.substr(0, end)))
      return fail(Errc::auth, fmt::format("AWS's {} file: line {} is not understood",
                                          is_config ? "config" : "credentials", number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

Result<std::map<std::string, AwsProfile>> read_aws_profiles(std::string_view credentials,
                                                            std::string_view config) {
  Profiles profiles;
  if (auto read = read_profile_file(credentials, false, profiles); !read)
    return std::unexpected(read.error());
  if (auto read = read_profile_file(config, true, profiles); !read) return std::unexpected(read.error());
  return profiles;
}

}  // namespace troupe::providers
