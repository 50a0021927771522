// SigV4 against AWS's example credentials (WIRE 2.1) and the captured requests.
#include "providers/auth/sigv4.hpp"

#include "tests/providers/codec_support.hpp"

#include <filesystem>
#include <map>
#include <sstream>
#include <type_traits>

namespace troupe::providers {
namespace {

using codec_test::shared_fixture;
using codec_test::unordered;

constexpr WallTime kSignedAt{1'440'938'160'000};  // 2015-08-30T12:36:00Z
const SigningScope kScope{"us-east-1", "bedrock"};

AwsCredentials example() { return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""}; }

http::Request converse(std::string model = "anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse") {
  return {"POST",
          "/model/" + model,
          {{"Host", "bedrock-runtime.us-east-1.amazonaws.com"}, {"Content-Type", "application/json"}},
          R"({"messages":[{"role":"user","content":[{"text":"Hello"}]}]})"};
}

std::string authorization(const http::Request& request) {
  return *http::find_header(request.headers, "authorization");
}

TEST(SigV4, SignsTheDocumentedRequest) {
  auto request = converse();
  ASSERT_TRUE(sign(request, example(), kScope, kSignedAt));
  EXPECT_EQ(authorization(request),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=a4dcdea20e9162a806e5d11535b7e6c73780a7e61c5f9d2944c105b4ba942f55");
}

TEST(SigV4, EncodesAnArnTwice) {
  auto request = converse(
      "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aprovisioned-model%2Fabcdefghijkl/converse-stream");
  ASSERT_TRUE(sign(request, example(), kScope, kSignedAt));
  EXPECT_TRUE(
      authorization(request).ends_with("3c106d8a0510a405befd46b83a47d609a97111c15abcc709e7e4926ba2ceaf91"));
}

TEST(SigV4, SortsAndEncodesTheQuery) {
  http::Request request{"GET",
                        "/?Version=2011-06-15&Action=GetCallerIdentity&Zz=a%20b%2Fc%2Bd~%C3%A9",
                        {{"host", "sts.us-east-1.amazonaws.com"}},
                        ""};
  ASSERT_TRUE(sign(request, example(), {"us-east-1", "sts"}, kSignedAt));
  EXPECT_TRUE(
      authorization(request).ends_with("a6d2ec45ea94f2f133874b586f7fd5a3f09e72e8df358c099cc05c4136f8b2e2"));
}

TEST(SigV4, TidiesPathsAndHeaderValues) {
  http::Request request{
      "GET", "/a/./b//../c d/?b=2&a&=x&", {{"host", " h \t x "}, {"X-A", "1"}, {"x-a", "2"}}, ""};
  std::vector<std::string> names{"host", "x-a"};
  EXPECT_TRUE(canonical_request(request, names)
                  .starts_with("GET\n/a/c%20d/\n=x&a=&b=2\nhost:h x\nx-a:1,2\n\nhost;x-a\n"));
}

TEST(SigV4, SigningAgainReplacesTheFirstSignature) {
  auto once = converse(), twice = converse();
  auto session = example();
  session.session_token = "EXAMPLETOKEN";
  ASSERT_TRUE(sign(once, session, kScope, kSignedAt));
  ASSERT_TRUE(sign(twice, session, kScope, {kSignedAt.ms - 60'000}));
  ASSERT_TRUE(sign(twice, session, kScope, kSignedAt));
  EXPECT_EQ(once.headers, twice.headers);
}

// One thing differs from one request to the next, and each is as if signed alone.
TEST(SigV4, AKeptKeyIsForItsSecretDayRegionAndServiceOnly) {
  constexpr std::int64_t day_ms = 24 * 60 * 60 * 1000;
  auto other = example();
  other.secret_access_key += "2";
  struct Step {
    AwsCredentials credentials;
    SigningScope scope;
    WallTime now;
  };
  const std::vector<Step> steps{{example(), kScope, kSignedAt},
                                {example(), kScope, {kSignedAt.ms + 60'000}},
                                {other, kScope, kSignedAt},
                                {other, {"us-west-2", "bedrock"}, kSignedAt},
                                {other, {"us-west-2", "sagemaker"}, kSignedAt},
                                {other, {"us-west-2", "sagemaker"}, {kSignedAt.ms + day_ms}},
                                {example(), kScope, kSignedAt}};
  SigningKeys keys;
  for (const auto& [credentials, scope, now] : steps) {
    auto alone = converse(), kept = converse();
    ASSERT_TRUE(sign(alone, credentials, scope, now));
    ASSERT_TRUE(sign(kept, credentials, scope, now, keys));
    EXPECT_EQ(kept.headers, alone.headers) << scope.region << scope.service << now.ms;
  }
}

TEST(SigV4, NeedsAHost) {
  http::Request request;
  auto signed_ok = sign(request, example(), kScope, kSignedAt);
  ASSERT_FALSE(signed_ok);
  EXPECT_EQ(signed_ok.error().code, Errc::bad_request);
}

// The server's side: one of ours, checked at `now` by a server that knows `known`.
Result<void> check(const http::Request& request, WallTime now = kSignedAt, AwsCredentials known = example()) {
  CredentialLookup lookup = [&](std::string_view id) { return id == known.access_key_id ? &known : nullptr; };
  return verify(request, lookup, now);
}

http::Request signed_converse(const AwsCredentials& credentials = example()) {
  auto request = converse();
  EXPECT_TRUE(sign(request, credentials, kScope, kSignedAt));
  return request;
}

TEST(VerifySigV4, AcceptsWhatWeSign) {
  EXPECT_TRUE(check(signed_converse()));
  auto session = example();
  session.session_token = "EXAMPLETOKEN";
  EXPECT_TRUE(check(signed_converse(session), kSignedAt, session));
}

TEST(VerifySigV4, RefusesAChangeAnywhere) {
  auto refused = [](auto change) {
    auto request = signed_converse();
    change(request);
    auto result = check(request);
    return !result && result.error().code == Errc::auth && !result.error().vendor_text.empty();
  };
  EXPECT_TRUE(refused([](auto& r) { r.body += " "; }));
  EXPECT_TRUE(refused([](auto& r) { r.target += "x"; }));
  EXPECT_TRUE(refused([](auto& r) { r.method = "PUT"; }));
  EXPECT_TRUE(refused([](auto& r) { http::set_header(r.headers, "host", "evil.example"); }));
  EXPECT_TRUE(refused([](auto& r) { http::set_header(r.headers, "x-amz-target", "unsigned"); }));
  EXPECT_TRUE(refused([](auto& r) { http::set_header(r.headers, "x-amz-security-token", "t"); }));
  EXPECT_TRUE(refused([](auto& r) { r.headers.pop_back(); }));
  EXPECT_TRUE(refused([](auto& r) { r.headers.back().second.back() ^= 1; }));
  EXPECT_TRUE(refused([](auto& r) { r.headers.back().second.pop_back(); }));
  for (const auto* junk :
       {"", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c, Signature=,,;;=",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/r/s/aws4_request, Signature=00"})
    EXPECT_TRUE(refused([&](auto& r) { http::set_header(r.headers, "authorization", junk); })) << junk;
}

TEST(VerifySigV4, RefusesAnUnknownKeyAnotherSecretAndAMissingToken) {
  auto other = example();
  other.secret_access_key += "x";
  EXPECT_FALSE(check(signed_converse(), kSignedAt, other));
  other = example();
  other.access_key_id = "AKIDOTHER";
  EXPECT_FALSE(check(signed_converse(), kSignedAt, other));
  other = example();
  other.session_token = "EXAMPLETOKEN";
  EXPECT_FALSE(check(signed_converse(), kSignedAt, other));
}

TEST(VerifySigV4, AllowsFiveMinutesOfSkewAndNotMore) {
  for (std::int64_t sign : {-1, 1}) {
    EXPECT_TRUE(check(signed_converse(), {kSignedAt.ms + sign * 300'000}));
    EXPECT_FALSE(check(signed_converse(), {kSignedAt.ms + sign * 300'001}));
  }
}

TEST(AwsCredentialsFromEnvironment, NamesWhatIsMissingAndTakesTheRest) {
  std::map<std::string, std::string> set{{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"}};
  Environment environment = [&](const char* name) {
    return set.contains(name) ? set[name].c_str() : nullptr;
  };
  auto missing = credentials_from_environment(environment);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::auth);
  EXPECT_NE(missing.error().what.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
  set["AWS_SECRET_ACCESS_KEY"] = "EXAMPLE";
  set["AWS_DEFAULT_REGION"] = "eu-west-1";
  auto found = credentials_from_environment(environment);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->session_token.empty());
  EXPECT_EQ(region_from_environment(environment), "eu-west-1");
  set["AWS_REGION"] = "us-east-1";
  EXPECT_EQ(region_from_environment(environment), "us-east-1");
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(Printable<std::string> && !Printable<AwsCredentials>);

http::Request captured_request(const codec_test::Unordered& fixture) {
  http::Request request{fixture["method"], fixture["target"], {}, fixture.value("body_raw", "")};
  for (const auto& header : fixture["headers"]) request.headers.emplace_back(header[0], header[1]);
  return request;
}

// The signed names are what the capture's own authorization header lists.
std::vector<std::string> captured_names(const std::string& authorization) {
  auto start = authorization.find("SignedHeaders=") + 14;
  std::string list = authorization.substr(start, authorization.find(',', start) - start);
  std::vector<std::string> names;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ';');) names.push_back(name);
  return names;
}

void expect_captured_signature(const std::string& name, const std::string& text) {
  auto fixture = unordered(text);
  if (!fixture.contains("sigv4")) return;
  const auto& want = fixture["sigv4"];
  auto request = captured_request(fixture);
  auto canonical = canonical_request(request, captured_names(authorization(request)));
  EXPECT_EQ(canonical, want["canonical_request"].get<std::string>()) << name;
  SigningScope scope{want["region"], want["service"]};
  std::string date = want["amz_date"];
  auto to_sign = string_to_sign(canonical, date, scope);
  EXPECT_EQ(to_sign, want["string_to_sign"].get<std::string>()) << name;
  auto key = signing_key(want["secret_access_key"].get<std::string>(), date.substr(0, 8), scope);
  EXPECT_EQ(to_hex(key), want["signing_key_hex"].get<std::string>()) << name;
  EXPECT_EQ(signature(key, to_sign), want["signature_expected"].get<std::string>()) << name;
}

TEST(SigV4, MatchesEveryCapturedRequest) {
  if (shared_fixture("INDEX.md").empty()) GTEST_SKIP() << "the captured fixtures are not on this machine";
  const char* data = std::getenv("TROUPE_DATA");
  std::string base = data != nullptr ? data : std::string(TROUPE_SOURCE_DIR) + "/../shared";
  int seen = 0;
  for (const auto* folder : {"sigv4", "bedrock", "sagemaker", "aws_credentials", "anthropic"}) {
    for (const auto& entry : std::filesystem::directory_iterator(base + "/spec/fixtures/" + folder)) {
      auto path = entry.path().string();
      auto text = path.ends_with(".request.json") ? codec_test::slurp(path) : "";
      if (text.find("\"sigv4\"") == std::string::npos) continue;
      ++seen;
      expect_captured_signature(path, text);
    }
  }
  EXPECT_GE(seen, 20);
}

}  // namespace
}  // namespace troupe::providers
