// Credential files and issuers' answers: AWS profiles, Google's JSON, STS's XML, and the flows that read
// them.
#include "providers/auth/aws_chain.hpp"
#include "providers/auth/aws_profile.hpp"
#include "providers/auth/google.hpp"
#include "providers/auth/xml.hpp"
#include "tests/fuzz/targets.hpp"

#include <map>

namespace troupe::fuzz {
namespace {

using providers::AwsProfile;

constexpr std::string_view secret_mark = "ZQSECRET";
constexpr WallTime issued_at{1'440'938'160'000};  // 2015-08-30T12:36:00Z

// The input stands in for everything the world says: files, programs, and the issuers' answers in turn.
class HostilePorts final : public providers::Ports {
 public:
  std::string first_file, second_file;
  std::vector<http::Response> answers;
  int calls = 0;

  void call(providers::IssuerCall call, std::function<void(Result<http::Response>)> done) override {
    require(++calls <= 40, "a flow ends, whatever issuers answer");
    require(call.request.target.starts_with('/'), "an issuer is asked for a path");
    if (answers.empty()) return done(fail(Errc::timeout, "nobody there"));
    done(answers[static_cast<std::size_t>(calls - 1) % answers.size()]);
  }
  Result<std::string> read_file(const std::string& path) override {
    return path.ends_with("config") ? second_file : first_file;
  }
  void run(const std::string&, Duration, std::function<void(Result<std::string>)> done) override {
    done(answers.empty() ? Result<std::string>(fail(Errc::auth, "it failed")) : answers[0].body);
  }
  std::optional<std::string> variable(const std::string& name) override {
    if (name == "HOME") return "/home";
    if (name == "AWS_REGION") return "us-east-1";
    return std::nullopt;
  }
  WallTime wall() override { return issued_at; }
};

template <class T>
T run_flow(Task<T> flow) {
  std::optional<T> result;
  flow.start([&](T value) { result.emplace(std::move(value)); });
  require(result.has_value(), "a flow that is always answered ends");
  return std::move(*result);
}

// "STATUS body", up to a line "%%", as often as there are any.
std::string_view section(Input& in) {
  auto left = in.rest();
  auto at = left.find("\n%%\n");
  in = Input(at == std::string_view::npos ? std::string_view() : left.substr(at + 4));
  return left.substr(0, at);
}

std::vector<http::Response> read_answers(Input& in) {
  constexpr int statuses[] = {200, 400, 401, 403, 404, 500};
  std::vector<http::Response> answers;
  while (!in.empty() && answers.size() < 8) {
    Input one(section(in));
    auto status = statuses[one.number(6)];
    answers.push_back({status, {{"Metadata-Flavor", "Google"}}, std::string(one.rest())});
  }
  return answers;
}

void check_told(const Error& error) {
  require(error.what.find(secret_mark) == std::string::npos, "an error tells nothing of a credential");
}

void check_lifetime(const std::optional<Duration>& lifetime) {
  require(!lifetime || *lifetime > Duration{}, "a credential that is given is still valid");
}

void check_aws(const providers::AwsGrant& grant) {
  if (!grant) return check_told(grant.error());
  const auto& found = grant->value;
  require(!found.access_key_id.empty() && !found.secret_access_key.empty(), "AWS keys come whole");
  check_lifetime(grant->lifetime);
}

void check_token(const providers::TokenGrant& grant) {
  if (!grant) return check_told(grant.error());
  require(!grant->value.value.empty() && is_header_safe(grant->value.value), "a token can stand in a header");
  check_lifetime(grant->lifetime);
}

void check_profiles(Input& in) {
  auto credentials = section(in);
  auto config = in.rest();
  auto profiles = providers::read_aws_profiles(credentials, config);
  if (!profiles) {
    require(profiles.error().code == Errc::auth, "a file that is not understood is auth");
    return check_told(profiles.error());
  }
  std::string written;
  for (const auto& [name, profile] : *profiles) {
    // A quoted name may hold what a plain one cannot.
    bool blank_edge =
        name.find_first_not_of(" \t\r") != 0 || name.find_last_not_of(" \t\r") + 1 != name.size();
    if (name.find(']') != std::string::npos || blank_edge) return;
    written += "[" + name + "]\n";
    for (const auto& [key, value] : profile) {
      // Written at a line's start, such a key would be a section or a comment.
      if (key.empty() || key.find_first_of("[#;") == 0) return;
      // No blank before the value: behind one, a "#" would begin a comment.
      written += key + "=" + value + "\n";
    }
  }
  auto again = providers::read_aws_profiles(written, "");
  require(again && *again == *profiles, "profiles are read as they are written");
}

std::string escaped_xml(std::string_view text) {
  std::string out;
  // All of it as references: what the characters are must not matter.
  for (unsigned char c : text)
    if (c < 0x80)
      out += "&#" + std::to_string(int{c}) + ";";
    else
      out += static_cast<char>(c);
  return out;
}

void check_xml(std::string_view text) {
  auto leaves = providers::read_xml_leaves(text);
  if (!leaves) return require(leaves.error().code == Errc::invalid_input, "what is no XML is invalid_input");
  require(leaves->size() <= 512, "no more elements than allowed");
  std::string inside, root;
  for (const auto& [path, value] : *leaves) {
    std::string open, close;
    Input names(path);
    root = names.until('/');
    while (!names.empty()) {
      std::string name(names.until('/'));
      open += "<" + name + ">";
      close = "</" + name + ">" + close;
    }
    inside += open + escaped_xml(value) + close;
  }
  auto written = "<" + root + ">" + inside + "</" + root + ">";
  // Alone on its path an element is written once for each leaf below it, so more elements than there were.
  if (written.size() > 32 * 1024 || leaves->size() > 30) return;
  auto again = providers::read_xml_leaves(written);
  require(again.has_value(), "leaves that were read can be written");
  for (const auto& [path, value] : *leaves) {
    auto found = again->find(path);
    require(found != again->end() && found->second.size() <= value.size(), "a leaf stays where it was");
  }
}

void check_google(Input& in) {
  HostilePorts ports;
  ports.first_file = section(in);
  ports.answers = read_answers(in);
  check_token(run_flow(providers::google_token(ports, {.credentials_file = "key.json"})));
  HostilePorts metadata;
  metadata.answers = ports.answers;
  check_token(run_flow(providers::google_token(metadata, {})));
}

void check_chain(Input& in) {
  HostilePorts ports;
  ports.first_file = section(in);
  ports.second_file = section(in);
  ports.answers = read_answers(in);
  auto grant = run_flow(providers::aws_credentials(ports, {}));
  // Its errors name the profile that is missing, and a fuzzer calls profiles by secrets.
  if (grant) check_aws(grant);
}

void check_small(Input& in) {
  auto text = in.rest();
  http::Response answer{200, {}, std::string(text)};
  check_token(providers::read_oauth_token("the issuer", answer));
  check_aws(providers::read_instance_answer("the machine", answer, issued_at));
  providers::parse_rfc3339(text);
  auto url = providers::parse_url(text);
  if (!url) return;
  require(url->target.starts_with('/') && is_header_safe(url->host) && is_header_safe(url->target),
          "an address can be asked");
  auto again = providers::parse_url((url->origin.tls ? "https://" : "http://") + url->host + url->target);
  require(again && again->origin == url->origin && again->target == url->target, "an address stays itself");
}

void check_sts(Input& in) {
  constexpr int statuses[] = {200, 400, 403, 500};
  auto status = statuses[in.number(4)];
  http::Response answer{status, {{"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}}, std::string(in.rest())};
  check_aws(providers::read_sts_answer("AssumeRole", answer, issued_at));
  check_aws(providers::read_sts_answer("AssumeRoleWithWebIdentity", answer, issued_at));
  auto offset = providers::clock_offset_of(answer, issued_at);
  require(!offset || *offset == 0, "the clock is corrected by the issuer's Date and nothing else");
}

}  // namespace

// MODE text. MODE 0: AWS profiles, credentials and config with a line "%%" between; 1: XML; 2: STATUS and an
// answer of STS; 3: Google's file, then answers of issuers; 4: AWS's two files, then answers; 5: one answer
// or address.
void fuzz_credentials(std::string_view input) {
  Input in(input);
  switch (in.number(6)) {
    case 0: return check_profiles(in);
    case 1: return check_xml(in.rest());
    case 2: return check_sts(in);
    case 3: return check_google(in);
    case 4: return check_chain(in);
    default: return check_small(in);
  }
}

}  // namespace troupe::fuzz
