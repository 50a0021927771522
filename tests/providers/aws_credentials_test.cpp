// Where AWS credentials come from: each step of the chain against captured requests, and what each refuses.
#include "providers/auth/aws_chain.hpp"
#include "providers/auth/aws_profile.hpp"
#include "providers/auth/sigv4.hpp"
#include "providers/auth/xml.hpp"
#include "tests/providers/scripted_ports.hpp"

#include <chrono>

namespace troupe::providers {
namespace {

using codec_test::expect_captured;
using codec_test::finish;
using codec_test::ScriptedPorts;
using codec_test::shared_fixture;
using codec_test::unordered;
using namespace std::chrono_literals;

constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const std::string kSts = "POST sts.us-east-1.amazonaws.com /";
const std::string kImds = " 127.0.0.1 /latest/";
constexpr const char* kContainer = R"({
  "RoleArn": "arn:aws:iam::123456789012:role/task", "AccessKeyId": "ASIAEXAMPLE",
  "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "Token": "EXAMPLETOKEN==",
  "Expiration": "2015-08-30T18:36:00Z"})";

std::string sts_answer(const std::string& action = "AssumeRole") {
  auto text = codec_test::golden("auth/assume_role_with_web_identity.response.xml");
  const std::string from = "AssumeRoleWithWebIdentity";
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + action.size()))
    text.replace(at, from.size(), action);
  return text;
}

class AwsChain : public ::testing::Test {
 protected:
  AwsChain() {
    ports.variables["HOME"] = "/my";
    ports.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1";
    options.region = "us-east-1";
  }
  AwsGrant get() { return finish(aws_credentials(ports, options)); }
  void profile(const std::string& config, const std::string& credentials = {}) {
    ports.files["/my/.aws/config"] = config;
    ports.files["/my/.aws/credentials"] = credentials;
  }
  void keys_in_environment() {
    ports.variables["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
    ports.variables["AWS_SECRET_ACCESS_KEY"] = kSecret;
  }
  void expect_role(const AwsGrant& got) {
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->value.access_key_id, "ASIAEXAMPLE");
    EXPECT_EQ(got->value.secret_access_key, kSecret);
    EXPECT_EQ(got->value.session_token, "EXAMPLETOKEN==");
    EXPECT_EQ(got->lifetime, 6h);
  }
  codec_test::Unordered captured(const std::string& name) {
    auto text = shared_fixture("aws_credentials/" + name);
    return text.empty() ? codec_test::Unordered() : unordered(text);
  }
  ScriptedPorts ports;
  AwsOptions options;
};

TEST_F(AwsChain, TakesTheEnvironmentsKeysFirst) {
  keys_in_environment();
  profile("[default]\nrole_arn = x\ncredential_source = Environment\n");
  auto got = get();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->value.access_key_id, "AKIDEXAMPLE");
  EXPECT_FALSE(got->lifetime);
  EXPECT_TRUE(ports.calls.empty());
  ports.variables["AWS_CREDENTIAL_EXPIRATION"] = "2015-08-30T13:36:00Z";
  EXPECT_EQ(get()->lifetime, 1h);
}

TEST_F(AwsChain, TakesANamedProfileBeforeTheEnvironmentsKeys) {
  keys_in_environment();
  profile("[profile work]\nregion = eu-west-1\n",
          "# comment\n[work]\naws_access_key_id = AKIWORK\naws_secret_access_key=abc/+= # mine\n");
  ports.variables["AWS_PROFILE"] = "work";
  auto got = get();
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->value.access_key_id, "AKIWORK");
  EXPECT_EQ(got->value.secret_access_key, "abc/+=");
  options.profile = "nobody";
  EXPECT_NE(get().error().what.find("\"nobody\""), std::string::npos);
}

TEST_F(AwsChain, AssumesARoleAsCaptured) {  // A2
  keys_in_environment();
  ports.answer(kSts, 200, sts_answer());
  options.role_arn = "arn:aws:iam::123456789012:role/demo";
  options.external_id = "ext-1";
  expect_role(get());
  auto fixture = captured("assume_role.request.json");
  if (fixture.is_null()) GTEST_SKIP() << "../shared is absent";
  auto role = assume_role_call({"us-east-1", ""}, {options.role_arn, "s1", "ext-1"});
  ASSERT_TRUE(sign(role->request, {"AKIDEXAMPLE", kSecret, "token"}, {"us-east-1", "sts"}, ports.now));
  fixture["headers"].erase(8);  // the session token, which is longer
  expect_captured(*role, fixture);
}

TEST_F(AwsChain, SignsForStsAsTheSdkDoes) {
  for (const auto* name : {"assume_role.request.json", "get_caller_identity.request.json"}) {
    auto fixture = captured(name);
    if (fixture.is_null()) GTEST_SKIP() << "../shared is absent";
    http::Request request{"POST", "/", {}, fixture["body_raw"]};
    std::vector<std::string> names;
    for (const auto& header : fixture["headers"]) {
      request.headers.emplace_back(header[0], header[1]);
      auto lower = header[0].get<std::string>();
      if (lower != "Connection" && lower != "authorization" && lower != "user-agent") names.push_back(lower);
    }
    std::ranges::sort(names);
    auto text = string_to_sign(canonical_request(request, names), "20150830T123600Z", {"us-east-1", "sts"});
    EXPECT_EQ(signature(signing_key(kSecret, "20150830", {"us-east-1", "sts"}), text),
              fixture["sigv4"]["signature_expected"]);
  }
}

TEST_F(AwsChain, FollowsSourceProfilesAndStopsInACircle) {
  profile(
      "[profile app]\nrole_arn = arn:aws:iam::1:role/app\nsource_profile = base\nexternal_id = e\n"
      "role_session_name = me\n[profile circle]\nrole_arn = r\nsource_profile = circle2\n"
      "[profile circle2]\nrole_arn = r\nsource_profile = circle\n",
      "[base]\naws_access_key_id = AKIBASE\naws_secret_access_key = s\n");
  ports.answer(kSts, 200, sts_answer());
  options.profile = "app";
  expect_role(get());
  const auto& request = ports.calls.at(0).request;
  EXPECT_EQ(
      request.body,
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fapp&RoleSessionName=me&"
      "DurationSeconds=3600&ExternalId=e");
  EXPECT_NE(http::find_header(request.headers, "authorization")->find("AKIBASE/20150830/us-east-1/sts"),
            std::string::npos);
  options.profile = "circle";
  EXPECT_NE(get().error().what.find("circle"), std::string::npos);
}

TEST_F(AwsChain, ReadsWhatACredentialProcessPrints) {
  profile("[default]\ncredential_process = /opt/get \"a b\"\n");
  ports.programs["/opt/get \"a b\""] =
      R"({"Version":1,"AccessKeyId":"ASIAP","SecretAccessKey":"s","SessionToken":"t",)"
      R"("Expiration":"2015-08-30T15:36:00+02:00"})";
  auto got = get();
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->value.session_token, "t");
  EXPECT_EQ(got->lifetime, 1h);
  for (const char* bad : {"", "no json", R"({"Version":2,"AccessKeyId":"a","SecretAccessKey":"b"})",
                          R"({"Version":1,"AccessKeyId":"a"})"}) {
    ports.programs["/opt/get \"a b\""] = bad;
    EXPECT_EQ(get().error().code, Errc::auth) << bad;
  }
}

TEST_F(AwsChain, TradesAWebIdentityUnsignedAsCaptured) {
  ports.variables["AWS_ROLE_ARN"] = "arn:aws:iam::123456789012:role/demo";
  ports.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  ports.variables["AWS_ROLE_SESSION_NAME"] = "my-session";
  ports.files["/token"] = "EXAMPLE.JWT.TOKEN\n";
  ports.answer(kSts, 200, sts_answer("AssumeRoleWithWebIdentity"));
  expect_role(get());
  EXPECT_EQ(http::find_header(ports.calls.at(0).request.headers, "authorization"), nullptr);
  ports.files["/token"] = "ANOTHER.JWT.TOKEN";  // rotated: read at each call
  expect_role(get());
  EXPECT_TRUE(ports.calls.at(1).request.body.ends_with("WebIdentityToken=ANOTHER.JWT.TOKEN"));
  auto fixture = captured("irsa_assume_role_with_web_identity.request.json");
  if (fixture.is_null()) GTEST_SKIP() << "../shared is absent";
  expect_captured(ports.calls.at(0), fixture);
}

TEST_F(AwsChain, AsksTheIdentityProviderThreeTimes) {
  ports.variables["AWS_ROLE_ARN"] = "r";
  ports.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  ports.files["/token"] = "T";
  auto error = [](std::string code) {
    return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code></Error></ErrorResponse>";
  };
  ports.answer(kSts, 400, error("IDPCommunicationError"));
  EXPECT_EQ(get().error().what, "STS refused: status 400, IDPCommunicationError");
  EXPECT_EQ(ports.calls.size(), 3u);
  ports.answers[kSts].clear();
  ports.answer(kSts, 400, error("ExpiredTokenException"));
  EXPECT_EQ(get().error().code, Errc::auth);
  EXPECT_EQ(ports.calls.size(), 4u);
}

TEST_F(AwsChain, SignsAgainWithTheirTimeWhenTheClockIsBlamed) {
  keys_in_environment();
  options.role_arn = "r";
  ports.now.ms -= 3'600'000;
  ports.answer(kSts, 403,
               "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x"
               "</Message></Error></ErrorResponse>",
               {{"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}});
  ports.answer(kSts, 200, sts_answer(), {{"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}});
  expect_role(get());  // six hours by their clock, not seven by ours
  EXPECT_EQ(*http::find_header(ports.calls.at(0).request.headers, "x-amz-date"), "20150830T113600Z");
  EXPECT_EQ(*http::find_header(ports.calls.at(1).request.headers, "x-amz-date"), "20150830T123600Z");
}

TEST_F(AwsChain, AsksTheContainerAsCaptured) {
  ports.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/v1/credentials";
  ports.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic EXAMPLE";
  ports.answer("GET 127.0.0.1 /v1/credentials", 200, kContainer);
  expect_role(get());
  ports.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/pod";
  ports.files["/pod"] = "EXAMPLE.POD.IDENTITY.TOKEN";
  expect_role(get());
  auto ecs = captured("ecs_full_uri_token.request.json"), eks = captured("eks_pod_identity.request.json");
  if (ecs.is_null()) GTEST_SKIP() << "../shared is absent";
  expect_captured(ports.calls.at(0), ecs);
  expect_captured(ports.calls.at(1), eks);
}

TEST_F(AwsChain, SendsAContainersTokenOnlyWhereItMayGo) {
  ports.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic EXAMPLE";
  for (const char* bad : {"http://evil.example/x", "http://127.0.0.1.evil.example/x", "http://10.0.0.1/x",
                          "http://user@127.0.0.1/x", "nonsense"}) {
    ports.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = bad;
    EXPECT_FALSE(get()) << bad;
  }
  EXPECT_TRUE(ports.calls.empty());
  for (const char* good : {"http://127.1.2.3/x", "http://[::1]:8080/x", "http://169.254.170.23/x",
                           "http://[fd00:ec2::23]/x", "https://anywhere.example/x"}) {
    ports.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = good;
    ports.calls.clear();
    EXPECT_FALSE(get());
    EXPECT_EQ(ports.calls.size(), 1u) << good;
  }
  ports.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/role";  // wins
  ports.answer("GET 169.254.170.2 /role", 200, kContainer);
  expect_role(get());
  ports.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nx-evil: 1";
  EXPECT_FALSE(get());
}

TEST_F(AwsChain, AsksImdsLastAndAsCaptured) {
  ports.answer("PUT" + kImds + "api/token", 200, "AQAEXAMPLEIMDSTOKEN==");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/", 200, "my-instance-role");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/my-instance-role", 200, kContainer);
  expect_role(get());
  ASSERT_EQ(ports.calls.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ports.calls.at(i).timeout, 1s);
    auto fixture = captured("imdsv2." + std::to_string(i + 1) + ".request.json");
    if (fixture.is_null()) GTEST_SKIP() << "../shared is absent";
    expect_captured(ports.calls.at(i), fixture);
  }
}

TEST_F(AwsChain, RenewsImdsTokensAndNeverFallsBack) {
  ports.answer("PUT" + kImds + "api/token", 200, "T1");
  ports.answer("PUT" + kImds + "api/token", 200, "T2");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/", 401, "");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/", 200, "r");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/r", 200, kContainer);
  expect_role(get());
  EXPECT_EQ(*http::find_header(ports.calls.back().request.headers, "x-aws-ec2-metadata-token"), "T2");
  for (int status : {403, 404, 405}) {
    ports.answers.clear();
    ports.calls.clear();
    ports.answer("PUT" + kImds + "api/token", status, "");
    EXPECT_EQ(get().error().code, Errc::auth);
    EXPECT_EQ(ports.calls.size(), 1u) << "no version 1 after " << status;
  }
  ports.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  ports.calls.clear();
  EXPECT_NE(get().error().what.find("AWS_EC2_METADATA_DISABLED"), std::string::npos);
  EXPECT_TRUE(ports.calls.empty());
}

TEST_F(AwsChain, AsksAgainAfterABreakButNotAfterATimeout) {
  ports.break_off("PUT" + kImds + "api/token");
  ports.answer("PUT" + kImds + "api/token", 503, "");
  ports.answer("PUT" + kImds + "api/token", 200, "T");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/", 200, "r");
  ports.answer("GET" + kImds + "meta-data/iam/security-credentials/r", 200, kContainer);
  expect_role(get());
  ports.answers.clear();
  ports.calls.clear();
  EXPECT_FALSE(get());
  EXPECT_EQ(ports.calls.size(), 1u);
}

TEST_F(AwsChain, RefusesWhatIsNoCredential) {
  ports.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/c";
  const char* bad[] = {
      "",
      "[]",
      R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"t"})",
      R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"t","Expiration":"soon"})",
      R"({"AccessKeyId":"a","SecretAccessKey":"b","Token":"t","Expiration":"2015-08-30T12:00:00Z"})",
      R"({"AccessKeyId":1,"SecretAccessKey":"b","Expiration":"2015-08-30T18:00:00Z"})",
      R"({"Code":"Failed","AccessKeyId":"a","SecretAccessKey":"b"})"};
  for (const char* body : bad) {
    ports.answers.clear();
    ports.answer("GET 127.0.0.1 /c", 200, body);
    auto got = get();
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().code, Errc::auth);
    EXPECT_TRUE(got.error().failover);
  }
}

TEST(AwsProfiles, NamesTheLineItCannotReadAndNotItsText) {
  for (const char* bad :
       {"aws_secret_access_key = canary\n", "[a\n", "[a]\nx = 1\ncanary\n", "[a]\n= canary"}) {
    auto read = read_aws_profiles(bad, "");
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().what.find("canary"), std::string::npos);
    EXPECT_NE(read.error().what.find("line"), std::string::npos);
  }
  auto read = read_aws_profiles(
      "[a]\nK=from credentials\n",
      "[profile a]\nk = from config\nS3 =\n  nested = 1\nregion = r\n[sso-session x]\ny=1\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)["a"]["k"], "from credentials");
  EXPECT_EQ((*read)["a"]["region"], "r");
  EXPECT_FALSE((*read)["a"].contains("nested"));
}

TEST(XmlLeaves, ReadsElementsAndRefusesTheRest) {
  auto leaves =
      read_xml_leaves("<?xml version=\"1.0\"?>\n<A x='1'><!-- c --><B>a&amp;b &#x41;</B><C/></A>\n");
  ASSERT_TRUE(leaves);
  EXPECT_EQ(*leaves, (std::map<std::string, std::string>{{"A/B", "a&b A"}, {"A/C", ""}}));
  std::string deep, wide = "<A>";
  for (int i = 0; i < 17; ++i) deep += "<A>";
  for (int i = 0; i < 600; ++i) wide += "<B" + std::to_string(i) + "/>";
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("<A>"), std::string("<A></B>"), std::string("<A/><B/>"),
        std::string("<!DOCTYPE a [<!ENTITY x \"y\">]><A>&x;</A>"), std::string("<A>&x;</A>"),
        std::string("<A><B/><B/></A>"), std::string("<A><![CDATA[x]]></A>"), std::string("<A>x<B/></A>"),
        std::string("<A b></A>"), std::string("<A b=\"<\"/>"), std::string("<A><?p?></A>"), deep,
        wide + "</A>", "<A>" + std::string(70'000, 'x') + "</A>", std::string("<A>&#0;</A>"),
        std::string("</A>")})
    EXPECT_FALSE(read_xml_leaves(bad)) << bad.substr(0, 60);
}

TEST(Rfc3339, ReadsTimesAndRefusesTheRest) {
  EXPECT_EQ(parse_rfc3339("2015-08-30T12:36:00Z"), codec_test::kFixtureTime);
  EXPECT_EQ(parse_rfc3339("2015-08-30T12:36:00.123456Z"), codec_test::kFixtureTime);
  EXPECT_EQ(parse_rfc3339("2015-08-30T14:36:00+02:00"), codec_test::kFixtureTime);
  EXPECT_EQ(parse_rfc3339("2015-08-30T06:06:00-06:30"), codec_test::kFixtureTime);
  for (const char* bad : {"", "2015-08-30", "2015-08-30T12:36:00", "2015-13-30T12:36:00Z",
                          "2015-08-30T12:36:00.Z", "2015-08-30T25:36:00Z", "2015-08-30 12:36:00Z",
                          "2015-08-30T12:36:00+2:00", "-015-08-30T12:36:00Z", "2015-08-30T12:36:00Zx"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(ParseUrl, TakesAnUrlApart) {
  auto url = parse_url("https://h.example:8443/a@b:c?x=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, (http::Origin{true, "h.example", 8443}));
  EXPECT_EQ(url->target, "/a@b:c?x=1");
  EXPECT_EQ(url->host, "h.example:8443");
  EXPECT_EQ(parse_url("https://sts.x?Action=A")->target, "/?Action=A");
  EXPECT_EQ(parse_url("http://[::1]:80/")->host, "[::1]");
  EXPECT_EQ(parse_url("http://[::1]:80/")->origin.host, "::1");
  for (const char* bad :
       {"", "ftp://x", "https://", "https://:1", "http://a b/", "http://u@h/", "http://h:0/",
        "http://h:99999/", "http://h/#f", "http://h/\r\nx: y", "http://h\\@x/"})
    EXPECT_FALSE(parse_url(bad)) << bad;
}

}  // namespace
}  // namespace troupe::providers
