// Google's and Azure's token flows against captured requests, and what they refuse.
#include "providers/auth/azure.hpp"
#include "providers/auth/crypto.hpp"
#include "providers/auth/google_flows.hpp"
#include "tests/providers/scripted_ports.hpp"

#include <chrono>

namespace troupe::providers {
namespace {

using codec_test::expect_captured;
using codec_test::finish;
using codec_test::golden;
using codec_test::ScriptedPorts;
using codec_test::shared_fixture;
using codec_test::unordered;
using namespace std::chrono_literals;

const std::string kGoogleSts = "POST sts.googleapis.com /v1/token";
const std::string kActAs =
    "POST iamcredentials.googleapis.com "
    "/v1/projects/-/serviceAccounts/router@demo-project.iam.gserviceaccount.com:generateAccessToken";
constexpr const char* kFederated = R"({"access_token":"ya29.FEDERATED","issued_token_type":
  "urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3599})";
constexpr const char* kInstance = R"({"Code":"Success","AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":
  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY","Token":"TOKEN","Expiration":"2015-08-30T18:36:00Z"})";

const std::string kAccount = R"({
 "type": "external_account",
 "audience": "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/aws-pool/)"
                             R"(providers/aws-prov",
 "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
 "token_url": "https://sts.googleapis.com/v1/token",
 "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/)"
                             R"(router@demo-project.iam.gserviceaccount.com:generateAccessToken",
 "credential_source": {
  "environment_id": "aws1",
  "region_url": "http://127.0.0.1/latest/meta-data/placement/availability-zone",
  "url": "http://127.0.0.1/latest/meta-data/iam/security-credentials",
  "imdsv2_session_token_url": "http://127.0.0.1/latest/api/token",
  "regional_cred_verification_url":
   "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}})";

class GoogleToken : public ::testing::Test {
 protected:
  GoogleToken() {
    options.credentials_file = "/c.json";
    ports.files["/c.json"] = kAccount;
    ports.answer(kGoogleSts, 200, kFederated);
    ports.answer(kActAs, 200, R"({"accessToken":"ya29.IMPERSONATED","expireTime":"2015-08-30T13:36:00Z"})");
  }
  TokenGrant get() { return finish(google_token(ports, options)); }
  void on_aws(const std::string& token = {}) {
    ports.variables["AWS_REGION"] = "us-east-1";
    ports.variables["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
    ports.variables["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    if (!token.empty()) ports.variables["AWS_SESSION_TOKEN"] = token;
  }
  void expect_token(const TokenGrant& got, const std::string& token, Duration life) {
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->value.value, token);
    EXPECT_EQ(got->lifetime, life);
  }
  // Against PREFIX.1, PREFIX.2...; false when they are not there.
  bool expect_all_captured(const std::string& prefix, std::vector<int> numbers) {
    EXPECT_EQ(ports.calls.size(), numbers.size());
    for (std::size_t i = 0; i < numbers.size() && i < ports.calls.size(); ++i) {
      auto text = shared_fixture("gcp_auth/" + prefix + "." + std::to_string(numbers[i]) + ".request.json");
      if (text.empty()) return false;
      expect_captured(ports.calls[i], unordered(text));
    }
    return true;
  }
  ScriptedPorts ports;
  GoogleOptions options;
};

TEST_F(GoogleToken, SignsAServiceAccountsAssertion) {
  auto file = golden("auth/service_account.json");
  ports.files["/c.json"] = file;
  ports.answer("POST oauth2.googleapis.com /token", 200,
               R"({"access_token":"ya29.EXAMPLE","expires_in":3599,"token_type":"Bearer"})");
  expect_token(get(), "ya29.EXAMPLE", 3599s);
  auto expected = unordered(file)["expected_assertion"].get<std::string>();
  auto text = shared_fixture("gcp_auth/service_account_jwt_bearer.request.json");
  EXPECT_EQ(ports.calls.at(0).request.body,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + expected);
  if (text.empty()) GTEST_SKIP() << "../shared is absent";
  auto captured = unordered(text);
  auto body = captured["body_raw"].get<std::string>();
  captured["body_raw"] =
      body.replace(body.find("SIGNATURE_REMOVED"), 17, expected.substr(expected.rfind('.') + 1));
  expect_captured(ports.calls.at(0), captured);
}

TEST_F(GoogleToken, RefusesKeysThatAreNone) {
  for (const char* key : {"", "x", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"}) {
    Json file{{"type", "service_account"}, {"client_email", "a@b"}, {"private_key", key}};
    ports.files["/c.json"] = dump_json(file);
    EXPECT_EQ(get().error().code, Errc::auth);
  }
  EXPECT_TRUE(ports.calls.empty());
}

TEST_F(GoogleToken, AsksTheMetadataServerWhenThereIsNoFile) {
  options.credentials_file.clear();
  ports.variables["GCE_METADATA_HOST"] = "127.0.0.1";
  const std::string where = "GET 127.0.0.1 /computeMetadata/v1/instance/service-accounts/default/token";
  constexpr const char* body = R"({"access_token":"ya29.METADATA","expires_in":3599,"token_type":"Bearer"})";
  ports.answer(where, 200, body);
  ports.answer(where, 200, body, {{"Metadata-Flavor", "Google"}});
  EXPECT_NE(get().error().what.find("not Google's metadata server"), std::string::npos);
  expect_token(get(), "ya29.METADATA", 3599s);
  auto text = shared_fixture("gcp_auth/metadata_server.request.json");
  if (text.empty()) GTEST_SKIP() << "../shared is absent";
  expect_captured(ports.calls.at(0), unordered(text));
}

TEST_F(GoogleToken, ProvesAnAwsIdentityWithKeysAsCaptured) {  // D9
  on_aws();
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  // The signature, percent-encoded twice: known from the capture, so that this holds without it.
  EXPECT_NE(ports.calls.at(0).request.body.find(
                "Signature%253D5d0127c0c30e5d37ec488220bd15b058e0dbf1c17f31d2da6f73a1626d2fc696"),
            std::string::npos);
  if (!expect_all_captured("wif_aws_env_longterm", {1, 2})) GTEST_SKIP() << "../shared is absent";
}

// The session token of the captures, out of one of them.
std::string captured_session_token() {
  auto text = shared_fixture("aws_credentials/assume_role.request.json");
  return text.empty() ? text : unordered(text)["headers"][8][1].get<std::string>();
}

TEST_F(GoogleToken, ProvesAnAwsIdentityWithASessionAsCaptured) {
  auto token = captured_session_token();
  if (token.empty()) GTEST_SKIP() << "../shared is absent";
  on_aws(token);
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  expect_all_captured("wif_aws_env_session", {1, 2});
}

TEST_F(GoogleToken, ProvesAnInstancesIdentityAsCaptured) {
  auto token = captured_session_token();
  if (token.empty()) GTEST_SKIP() << "../shared is absent";
  auto instance = unordered(kInstance);
  instance["Token"] = token;
  ports.answer("PUT 127.0.0.1 /latest/api/token", 200, "AQAEXAMPLEIMDSTOKEN==");
  ports.answer("GET 127.0.0.1 /latest/meta-data/placement/availability-zone", 200, "us-east-1b");
  ports.answer("GET 127.0.0.1 /latest/meta-data/iam/security-credentials", 200, "my-instance-role");
  ports.answer("GET 127.0.0.1 /latest/meta-data/iam/security-credentials/my-instance-role", 200,
               instance.dump());
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  expect_all_captured("wif_aws_imdsv2", {1, 2, 3, 4, 5, 6, 7});
  ports.calls.clear();
  auto account = unordered(kAccount);
  account.erase("service_account_impersonation_url");
  ports.files["/c.json"] = account.dump();
  expect_token(get(), "ya29.FEDERATED", 3599s);
  expect_all_captured("wif_aws_no_impersonation", {1, 2, 3, 4, 5, 6});
}

TEST_F(GoogleToken, TradesAnOidcTokenAsCaptured) {
  auto account = unordered(kAccount);
  account["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt";
  account["credential_source"] = {{"file", "/oidc"}};
  ports.files["/c.json"] = account.dump();
  ports.files["/oidc"] = "EXAMPLE.OIDC.TOKEN\n";
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  bool compared = expect_all_captured("wif_oidc_file", {1, 2});
  auto body = ports.calls.at(0).request.body;
  ports.calls.clear();
  account["credential_source"] = {{"url", "http://127.0.0.1/token"},
                                  {"headers", {{"X-Key", "k"}}},
                                  {"format", {{"type", "json"}, {"subject_token_field_name", "jwt"}}}};
  ports.files["/c.json"] = account.dump();
  ports.answer("GET 127.0.0.1 /token", 200, R"({"jwt":"EXAMPLE.OIDC.TOKEN"})");
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  EXPECT_EQ(*http::find_header(ports.calls.at(0).request.headers, "x-key"), "k");
  EXPECT_EQ(ports.calls.at(1).request.body, body);
  if (!compared) GTEST_SKIP() << "../shared is absent";
}

TEST_F(GoogleToken, ActsAsAnotherAccount) {
  Json user{{"type", "authorized_user"}, {"client_id", "i"}, {"client_secret", "s"}, {"refresh_token", "r"}};
  Json file{{"type", "impersonated_service_account"}, {"source_credentials", user}};
  file["service_account_impersonation_url"] = unordered(kAccount)["service_account_impersonation_url"];
  ports.files["/c.json"] = dump_json(file);
  ports.answer("POST oauth2.googleapis.com /token", 200, R"({"access_token":"U","expires_in":"60"})");
  expect_token(get(), "ya29.IMPERSONATED", 1h);
  EXPECT_EQ(ports.calls.at(0).request.body,
            "grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=r");
  EXPECT_EQ(*http::find_header(ports.calls.at(1).request.headers, "authorization"), "Bearer U");
}

TEST_F(GoogleToken, TellsARefusalWithoutWhatWasRefused) {
  on_aws();
  ports.answers.clear();
  ports.answer(kGoogleSts, 400, R"({"error":"invalid_grant","error_description":"canary is expired"})");
  auto got = get();
  EXPECT_EQ(got.error().what, "Google's STS refused: status 400, invalid_grant");
  EXPECT_EQ(got.error().vendor_text, "");
  EXPECT_TRUE(got.error().failover);
  for (const char* bad : {"", "[]", "{}", R"({"access_token":""})", R"({"access_token":"a\r\nb"})",
                          R"({"access_token":"a","expires_in":0})", R"({"access_token":5})"}) {
    ports.answers.clear();
    ports.answer(kGoogleSts, 200, bad);
    EXPECT_EQ(get().error().code, Errc::auth) << bad;
  }
  for (const char* bad :
       {"", "[]", "{}", R"({"type":"external_account"})", R"({"type":"x"})",
        R"({"type":"impersonated_service_account","source_credentials":{"type":
                          "impersonated_service_account"}})",
        R"({"type":"external_account","token_url":"https://x","credential_source":{"executable":{}}})"}) {
    ports.files["/c.json"] = bad;
    EXPECT_FALSE(get()) << bad;
  }
}

class AzureToken : public ::testing::Test {
 protected:
  AzureToken() {
    ports.answer("POST login.microsoftonline.com /t/oauth2/v2.0/token", 200,
                 R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyAZ"})");
    options.tenant_id = "t";
    options.client_id = "c";
  }
  Result<Expiring<BearerToken>> get() { return finish(azure_token(ports, options)); }
  ScriptedPorts ports;
  AzureOptions options;
};

TEST_F(AzureToken, UsesTheApplicationsSecret) {
  options.client_secret = [] { return std::string("s~ecret"); };
  auto got = get();
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->value.value, "eyAZ");
  EXPECT_EQ(got->lifetime, 3599s);
  EXPECT_EQ(ports.calls.at(0).request.body,
            "client_id=c&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=s~ecret&"
            "grant_type=client_credentials");
  EXPECT_TRUE(ports.calls.at(0).origin.tls);
}

TEST_F(AzureToken, UsesAWorkloadsIdentityFromThePodsVariables) {  // D9
  options.tenant_id = options.client_id = "";
  ports.variables = {
      {"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}, {"AZURE_FEDERATED_TOKEN_FILE", "/f"}};
  ports.files["/f"] = "JWT\n";
  ASSERT_TRUE(get());
  EXPECT_EQ(
      ports.calls.at(0).request.body,
      "client_id=c&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_assertion_type="
      "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=JWT&grant_type="
      "client_credentials");
}

TEST_F(AzureToken, SaysWhatIsMissing) {
  EXPECT_NE(get().error().what.find("client_secret"), std::string::npos);
  options.client_secret = []() -> Result<std::string> { return fail(Errc::bad_config, "not set"); };
  EXPECT_EQ(get().error().code, Errc::auth);
  options.tenant_id.clear();
  EXPECT_NE(get().error().what.find("tenant"), std::string::npos);
  options.client_id.clear();
  EXPECT_NE(get().error().what.find("AZURE_CLIENT_ID"), std::string::npos);
  EXPECT_TRUE(ports.calls.empty());
}

}  // namespace
}  // namespace troupe::providers
