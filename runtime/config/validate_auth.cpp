#include "runtime/config/validate_auth.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {
namespace {

bool is_one_of(AuthKind kind, std::initializer_list<AuthKind> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

// An option, whether it is given, and the kinds it means something to.
struct AuthOption {
  const char* name;
  bool given;
  std::initializer_list<AuthKind> kinds;
};

bool is_issuer_url(const std::string& url) {
  auto host = url.find("://");
  bool web = url.starts_with("https://") || url.starts_with("http://");
  return web && url.size() > host + 3 && url.find_first_of(" #\"\\") == std::string::npos &&
         url[host + 3] != '/' && url.find('@') == std::string::npos;
}

class AuthCheck {
 public:
  AuthCheck(std::string path, const ProviderConfig& provider)
      : path_(std::move(path)), provider_(provider), auth_(provider.auth) {}

  std::vector<Problem> run() {
    check_needs();
    check_dialect();
    check_places();
    for (const auto& [name, url] : {std::pair("sts_url", auth_.sts_url),
                                    {"imds_url", auth_.imds_url},
                                    {"metadata_url", auth_.metadata_url},
                                    {"token_url", auth_.token_url}})
      if (!url.empty() && !is_issuer_url(url)) add(name, "must be http[s]://HOST[:PORT][/PATH]");
    return std::move(problems_);
  }

 private:
  void add(const std::string& option, std::string what) {
    problems_.push_back({option.empty() ? path_ : path_ + "." + option, std::move(what)});
  }

  void check_needs() {
    using enum AuthKind;
    if (auth_.kind == bearer && auth_.api_key.empty()) add("", "kind bearer needs api_key");
    bool own_variable = provider_.dialect.starts_with("bedrock");
    if (auth_.kind == AuthKind::api_key && auth_.api_key.empty() && !own_variable)
      add("", "kind api_key needs api_key");
    bool keys = !auth_.access_key_id.empty() && !auth_.secret_access_key.empty();
    if (auth_.kind == aws_static && !keys)
      add("", "kind aws_static needs access_key_id and secret_access_key");
    if (!auth_.external_id.empty() && auth_.role_arn.empty()) add("external_id", "belongs to a role_arn");
    if (!auth_.role_arn.empty() && !auth_.role_arn.starts_with("arn:"))
      add("role_arn", "must be arn:aws:iam::ACCOUNT:role/NAME");
    if (!auth_.client_secret.empty() && !auth_.token_file.empty())
      add("token_file", "give either client_secret or token_file");
  }

  void check_dialect() {
    using enum AuthKind;
    bool is_signed = is_one_of(auth_.kind, {aws_env, aws_static, aws});
    if (is_signed && signing_service(provider_).empty())
      add("kind",
          "only the bedrock and sagemaker dialects are signed, and openai and anthropic at a bedrock-mantle "
          "host; use api_key or bearer");
    if (auth_.kind == google && !provider_.dialect.starts_with("vertex"))
      add("kind", "google tokens are for the vertex dialects");
    if (auth_.kind == azure && provider_.dialect != "azure_openai")
      add("kind", "azure tokens are for the azure_openai dialect");
  }

  // An option of another kind would be silently without effect, which in matters of access is a trap.
  void check_places() {
    using enum AuthKind;
    const AuthOption options[] = {{"profile", !auth_.profile.empty(), {aws}},
                                  {"role_arn", !auth_.role_arn.empty(), {aws}},
                                  {"credentials_file", !auth_.credentials_file.empty(), {google}},
                                  {"tenant_id", !auth_.tenant_id.empty(), {azure}},
                                  {"client_id", !auth_.client_id.empty(), {azure}},
                                  {"client_secret", !auth_.client_secret.empty(), {azure}},
                                  {"token_file", !auth_.token_file.empty(), {azure}},
                                  {"sts_url", !auth_.sts_url.empty(), {aws}},
                                  {"imds_url", !auth_.imds_url.empty(), {aws}},
                                  {"metadata_url", !auth_.metadata_url.empty(), {google}},
                                  {"token_url", !auth_.token_url.empty(), {google, azure}}};
    for (const auto& option : options) {
      if (!option.given || is_one_of(auth_.kind, option.kinds)) continue;
      add(option.name, fmt::format("belongs to kind {}", to_string(*option.kinds.begin())));
    }
  }

  std::string path_;
  const ProviderConfig& provider_;
  const AuthConfig& auth_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> validate_auth(const std::string& path, const ProviderConfig& provider) {
  return AuthCheck(path, provider).run();
}

std::string signing_service(const ProviderConfig& provider) {
  if (provider.dialect.starts_with("sagemaker")) return "sagemaker";
  bool mantle = provider.base_url.find("://bedrock-mantle.") != std::string::npos;
  if (mantle) return "bedrock-mantle";
  return provider.dialect.starts_with("bedrock") ? "bedrock" : "";
}

}  // namespace troupe::config
