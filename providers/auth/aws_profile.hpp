// AWS's shared files (~/.aws/credentials and ~/.aws/config): which sections there are and what they say.
// Pure.
#pragma once

#include <troupe/error.hpp>

#include <map>
#include <string>
#include <string_view>

namespace troupe::providers {

using AwsProfile = std::map<std::string, std::string>;

/// Profiles by name. Credentials' sections are [NAME]; config's are [default] and [profile NAME], others
/// (sso-session, services) are left out. Where both files say a key, the credentials file wins. Names of keys
/// are in lower case. Indented lines continue a value we do not use. Fails with `auth`, naming file and line
/// and never the line's text, for a line that is neither section, comment nor `key = value`.
Result<std::map<std::string, AwsProfile>> read_aws_profiles(std::string_view credentials,
                                                            std::string_view config);

}  // namespace troupe::providers
