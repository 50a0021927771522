// The simulated AWS issuers against captured requests: STS, instance metadata, containers; and what all
// issuers have in common.
#include "tests/providers/simulator_issuers_support.hpp"

#include <set>

namespace troupe::providers::simulator::issuers_test {
namespace {

TEST(SimulatedSts, AnswersTheOfficialSdksSignedCalls) {
  Issuers issuers(with_session(), 1);
  auto identity = ask(issuers, captured("get_caller_identity"));
  ASSERT_EQ(identity.status, 200) << identity.body;
  EXPECT_EQ(xml(identity, "Account"), "123456789012");
  EXPECT_EQ(xml(identity, "Arn"), "arn:aws:iam::123456789012:user/simulated");
  auto assumed = ask(issuers, captured("assume_role"));
  ASSERT_EQ(assumed.status, 200) << assumed.body;
  EXPECT_TRUE(xml(assumed, "AccessKeyId").starts_with("ASIA"));
  EXPECT_EQ(xml(assumed, "AccessKeyId").size(), 20u);
  EXPECT_EQ(xml(assumed, "SecretAccessKey").size(), 40u);
  EXPECT_EQ(xml(assumed, "Arn"), "arn:aws:sts::123456789012:assumed-role/demo/s1");
  EXPECT_EQ(xml(assumed, "Expiration"), "2015-08-30T13:36:00Z");
  EXPECT_EQ(*http::find_header(assumed.headers, "date"), "Sun, 30 Aug 2015 12:36:00 GMT");
}

TEST(SimulatedSts, RefusesAWrongSignatureAndAStaleOne) {
  Issuers issuers(with_session(), 1);
  auto changed = captured("assume_role");
  changed.body += "&Policy=x";
  EXPECT_EQ(sts_error(ask(issuers, changed)), "403 SignatureDoesNotMatch");
  EXPECT_EQ(sts_error(ask(issuers, captured("assume_role"), after(301))), "403 SignatureDoesNotMatch");
  EXPECT_EQ(sts_error(ask(issuers, captured("assume_role"), after(-301))), "403 SignatureDoesNotMatch");
  auto unsigned_call = form("/", "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(sts_error(ask(issuers, unsigned_call)), "403 MissingAuthenticationToken");
  auto other = sts_call("Action=GetCallerIdentity", {"AKIDOTHER", "x", ""});
  EXPECT_EQ(sts_error(ask(issuers, other)), "403 InvalidClientTokenId");
  auto bedrock = sts_call("Action=GetCallerIdentity", static_key(), kSigned, "bedrock");
  EXPECT_EQ(sts_error(ask(issuers, bedrock)), "403 SignatureDoesNotMatch");
  // Without the session token that belongs to the key.
  auto bare = sts_call("Action=GetCallerIdentity", static_key());
  EXPECT_EQ(sts_error(ask(issuers, bare)), "403 InvalidClientTokenId");
}

TEST(SimulatedSts, LetsAssumedRolesAssumeOthers) {  // A2
  Issuers issuers({}, 1);
  auto first = ask(issuers, sts_call(assume(kDemoRole), static_key()));
  auto second =
      ask(issuers, sts_call(assume("arn:aws:iam::999999999999:role/a/path/next"), keys_of_xml(first)));
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(xml(second, "Arn"), "arn:aws:sts::999999999999:assumed-role/next/s1");
  auto who = ask(issuers, sts_call("Action=GetCallerIdentity", keys_of_xml(second)));
  EXPECT_EQ(xml(who, "Arn"), "arn:aws:sts::999999999999:assumed-role/next/s1");
  EXPECT_EQ(xml(who, "Account"), "999999999999");
  auto stolen = keys_of_xml(second);
  stolen.session_token = keys_of_xml(first).session_token;
  EXPECT_EQ(sts_error(ask(issuers, sts_call("Action=GetCallerIdentity", stolen))),
            "403 InvalidClientTokenId");
}

TEST(SimulatedSts, EndsSessionsWhenTheySaidTheyWould) {
  Issuers issuers({.token_lifetime = std::chrono::seconds(20)}, 1);
  auto assumed = ask(issuers, sts_call(assume(kDemoRole, "&DurationSeconds=3600"), static_key()));
  EXPECT_EQ(xml(assumed, "Expiration"), "2015-08-30T12:36:20Z");
  auto keys = keys_of_xml(assumed);
  auto at = [&](WallTime wall) {
    return ask(issuers, sts_call("Action=GetCallerIdentity", keys, wall), wall);
  };
  EXPECT_EQ(at({after(20).ms - 1}).status, 200);
  EXPECT_EQ(sts_error(at(after(20))), "403 ExpiredToken");
}

TEST(SimulatedSts, HonoursAShorterDuration) {
  Issuers issuers({}, 1);
  auto assumed = ask(issuers, sts_call(assume(kDemoRole, "&DurationSeconds=900"), static_key()));
  EXPECT_EQ(xml(assumed, "Expiration"), "2015-08-30T12:51:00Z");
}

TEST(SimulatedSts, KnowsItsRoles) {
  config::SimulatedIssuers config;
  config.roles = {{.arn = kDemoRole, .external_id = "ext-1"}};
  Issuers issuers(config, 1);
  auto with_id = sts_call(assume(kDemoRole, "&ExternalId=ext-1"), static_key());
  EXPECT_EQ(ask(issuers, with_id).status, 200);
  EXPECT_EQ(sts_error(ask(issuers, sts_call(assume(kDemoRole), static_key()))), "403 AccessDenied");
  auto unknown = sts_call(assume("arn:aws:iam::123456789012:role/other"), static_key());
  EXPECT_EQ(sts_error(ask(issuers, unknown)), "403 AccessDenied");
}

TEST(SimulatedSts, TellsWhatIsWrongWithACall) {
  Issuers issuers({}, 1);
  auto error = [&](std::string fields) {
    return sts_error(ask(issuers, sts_call(std::move(fields), static_key())));
  };
  EXPECT_EQ(error("Action=Dance"), "400 InvalidAction");
  EXPECT_EQ(error("Action=AssumeRole"), "400 ValidationError");
  EXPECT_EQ(error(assume("arn:aws:iam::12345678901x:role/demo")), "400 ValidationError");
  EXPECT_EQ(error(assume("arn:aws:iam::123456789012:user/demo")), "400 ValidationError");
  EXPECT_EQ(error(assume("arn:aws:iam::123456789012:role/")), "400 ValidationError");
  EXPECT_EQ(error(assume(kDemoRole, "&DurationSeconds=899")), "400 ValidationError");
  EXPECT_EQ(error(assume(kDemoRole, "&DurationSeconds=43201")), "400 ValidationError");
  EXPECT_EQ(error(assume(kDemoRole, "&DurationSeconds=99999999999999999999")), "400 ValidationError");
  EXPECT_EQ(error(assume(kDemoRole, "&RoleArn=twice")), "400 MalformedQueryString");
  std::string many;
  for (std::size_t i = 0; i <= FormFields::fields_max; ++i) many += "&f" + std::to_string(i) + "=1";
  EXPECT_EQ(error("Action=GetCallerIdentity" + many), "400 MalformedQueryString");
}

TEST(SimulatedSts, EscapesWhatItEchoes) {
  Issuers issuers({}, 1);
  auto response = ask(issuers, sts_call("Action=%3Cb%3E%26%00%FF", static_key()));
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("&lt;b&gt;&amp; "), std::string::npos) << response.body;
  EXPECT_TRUE(is_utf8(response.body));
}

TEST(SimulatedSts, TakesWebIdentityTokensOfTrustedSigners) {
  Issuers issuers(with_signers(), 1);
  auto assumed = ask(issuers, captured("web_identity"));
  ASSERT_EQ(assumed.status, 200) << assumed.body;
  EXPECT_EQ(xml(assumed, "SubjectFromWebIdentityToken"), "system:serviceaccount:default:my-sa");
  EXPECT_EQ(xml(assumed, "Arn"), "arn:aws:sts::123456789012:assumed-role/demo/my-session");
  EXPECT_TRUE(issuers.check_signed(model_call(keys_of_xml(assumed), "us-east-1", kSigned),
                                   {"us-east-1", "bedrock"}, kSigned));
}

TEST(SimulatedSts, RefusesOtherWebIdentityTokens) {
  Issuers issuers(with_signers(), 1);
  EXPECT_EQ(sts_error(ask(issuers, captured("web_identity"), after(3600))), "400 ExpiredTokenException");
  EXPECT_EQ(sts_error(ask(issuers, captured("web_identity"), after(-301))), "400 ExpiredTokenException");
  auto forged = captured("web_identity");
  forged.body.replace(forged.body.size() - 8, 1, "_");
  EXPECT_EQ(sts_error(ask(issuers, forged)), "400 InvalidIdentityToken");
  auto shapeless =
      form("/", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" + std::string(kDemoRole) +
                    "&RoleSessionName=my-session&WebIdentityToken=EXAMPLE.JWT.TOKEN");
  EXPECT_EQ(sts_error(ask(issuers, shapeless)), "400 InvalidIdentityToken");
  auto strangers = with_signers();
  strangers.signers.resize(1);
  Issuers others(strangers, 1);
  EXPECT_EQ(sts_error(ask(others, captured("web_identity"))), "400 InvalidIdentityToken");
  // Without signers to check against only shape and time count: the forgery passes.
  Issuers trusting({}, 1);
  EXPECT_EQ(ask(trusting, forged).status, 200);
}

TEST(SimulatedInstance, GivesKeysToHoldersOfASession) {
  Issuers issuers({}, 1);
  auto opened = ask(issuers, captured("imds_session"));
  ASSERT_EQ(opened.status, 200);
  EXPECT_EQ(*http::find_header(opened.headers, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  http::Headers session{{"x-aws-ec2-metadata-token", opened.body}};
  std::string base = "/latest/meta-data/iam/security-credentials";
  EXPECT_EQ(ask(issuers, get(base, session)).body, "simulated-instance");
  EXPECT_EQ(ask(issuers, get(base + "/", session)).body, "simulated-instance");
  auto keys = ask(issuers, get(base + "/simulated-instance", session));
  EXPECT_EQ(get_string(json_of(keys), "Code"), "Success");
  EXPECT_EQ(get_string(json_of(keys), "Expiration"), "2015-08-30T13:36:00Z");
  auto who = ask(issuers, sts_call("Action=GetCallerIdentity", keys_of_json(keys)));
  EXPECT_EQ(xml(who, "Arn"), "arn:aws:sts::123456789012:assumed-role/simulated-instance/i-00000000000000001");
  EXPECT_EQ(ask(issuers, get(base + "/other", session)).status, 404);
  EXPECT_EQ(ask(issuers, get("/latest/meta-data/placement/availability-zone", session)).body, "us-east-1a");
  EXPECT_EQ(ask(issuers, get("/latest/meta-data/placement/region", session)).body, "us-east-1");
  auto document = ask(issuers, get("/latest/dynamic/instance-identity/document", session));
  EXPECT_EQ(get_string(json_of(document), "region"), "us-east-1");
}

TEST(SimulatedInstance, RefusesWithoutASession) {
  Issuers issuers({}, 1);
  EXPECT_EQ(ask(issuers, captured("imds_role")).status, 401);
  EXPECT_EQ(ask(issuers, captured("imds_keys")).status, 401);
  EXPECT_EQ(ask(issuers, get("/latest/meta-data/iam/security-credentials")).status, 401);
  auto brief = captured("imds_session");
  http::set_header(brief.headers, "x-aws-ec2-metadata-token-ttl-seconds", "10");
  http::Headers session{{"x-aws-ec2-metadata-token", ask(issuers, brief).body}};
  auto role = get("/latest/meta-data/iam/security-credentials/", session);
  EXPECT_EQ(ask(issuers, role, {after(10).ms - 1}).status, 200);
  EXPECT_EQ(ask(issuers, role, after(10)).status, 401);
  for (const auto* ttl : {"", "0", "21601", "-1", "x"}) {
    http::set_header(brief.headers, "x-aws-ec2-metadata-token-ttl-seconds", ttl);
    EXPECT_EQ(ask(issuers, brief).status, 400) << ttl;
  }
  auto proxied = captured("imds_session");
  proxied.headers.emplace_back("X-Forwarded-For", "10.0.0.1");
  EXPECT_EQ(ask(issuers, proxied).status, 403);
  EXPECT_EQ(ask(issuers, get("/latest/api/token")).status, 405);
}

TEST(SimulatedContainer, ChecksItsAuthorization) {
  config::SimulatedIssuers config;
  config.container_token = "EXAMPLE.POD.IDENTITY.TOKEN";
  Issuers issuers(config, 1);
  auto keys = ask(issuers, captured("pod_identity"));
  ASSERT_EQ(keys.status, 200) << keys.body;
  EXPECT_EQ(ask(issuers, sts_call("Action=GetCallerIdentity", keys_of_json(keys))).status, 200);
  EXPECT_EQ(ask(issuers, get("/v1/credentials")).status, 400);
  EXPECT_EQ(ask(issuers, get("/v1/credentials", {{"authorization", "other"}})).status, 400);
  EXPECT_EQ(ask(issuers, get("/v2/credentials/id")).status, 403);
  Issuers open({}, 1);
  auto task = ask(open, get("/v2/credentials/id"));
  EXPECT_EQ(get_string(json_of(task), "RoleArn"), "arn:aws:iam::123456789012:role/simulated-container");
  EXPECT_EQ(ask(open, get("/v1/credentials")).status, 400) << "a pod always shows its token";
}

const SigningScope kModels{"us-east-1", "bedrock"};

TEST(CheckSigned, AcceptsOurKeysUntilTheyExpire) {
  Issuers issuers({.token_lifetime = std::chrono::seconds(20)}, 1);
  EXPECT_TRUE(issuers.check_signed(model_call(static_key(), "us-east-1", kSigned), kModels, kSigned));
  auto keys = keys_of_xml(ask(issuers, sts_call(assume(kDemoRole), static_key())));
  EXPECT_TRUE(issuers.check_signed(model_call(keys, "us-east-1", after(19)), kModels, after(19)));
  auto late = issuers.check_signed(model_call(keys, "us-east-1", after(20)), kModels, after(20));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::auth);
  EXPECT_STREQ(aws_error_names(late.error()).json, "ExpiredTokenException");
  // The lookup alone finds it still, as verify needs; the key itself says when it ended.
  EXPECT_TRUE(verify(model_call(keys, "us-east-1", after(20)), issuers.lookup(), after(20)));
  ASSERT_NE(issuers.find_key(keys.access_key_id), nullptr);
  EXPECT_EQ(issuers.find_key(keys.access_key_id)->expires.ms, after(20).ms);
}

TEST(CheckSigned, RefusesARoleOutsideItsRegion) {  // A2
  config::SimulatedIssuers config;
  config.roles = {{.arn = kDemoRole, .region = "us-east-1"},
                  {.arn = "arn:aws:iam::123456789012:role/anywhere"}};
  Issuers issuers(config, 1);
  auto bound = keys_of_xml(ask(issuers, sts_call(assume(kDemoRole), static_key())));
  auto free = keys_of_xml(ask(issuers, sts_call(assume(config.roles[1].arn), static_key())));
  const SigningScope elsewhere{"eu-west-1", "bedrock"};
  EXPECT_TRUE(issuers.check_signed(model_call(bound, "us-east-1", kSigned), kModels, kSigned));
  EXPECT_TRUE(issuers.check_signed(model_call(free, "eu-west-1", kSigned), elsewhere, kSigned));
  auto refused = issuers.check_signed(model_call(bound, "eu-west-1", kSigned), elsewhere, kSigned);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::permission);
  EXPECT_STREQ(aws_error_names(refused.error()).json, "AccessDeniedException");
}

TEST(CheckSigned, NamesWhatIsWrong) {
  Issuers issuers({}, 1);
  auto name = [&](const http::Request& request) -> std::string {
    auto checked = issuers.check_signed(request, kModels, kSigned);
    return checked ? "fine" : aws_error_names(checked.error()).json;
  };
  auto good = model_call(static_key(), "us-east-1", kSigned);
  EXPECT_EQ(name(good), "fine");
  EXPECT_TRUE(issuers.check_signed(good, {"us-east-1", ""}, kSigned)) << "any service";
  EXPECT_EQ(name(model_call(static_key(), "eu-west-1", kSigned)), "InvalidSignatureException");
  EXPECT_EQ(name(model_call({"AKIDOTHER", "x", ""}, "us-east-1", kSigned)), "UnrecognizedClientException");
  EXPECT_EQ(name(model_call(static_key(), "us-east-1", after(-600))), "InvalidSignatureException");
  EXPECT_EQ(name(get("/model/m/converse")), "MissingAuthenticationTokenException");
  auto tampered = good;
  tampered.body = "{ }";
  EXPECT_EQ(name(tampered), "InvalidSignatureException");
  auto partial = good;
  http::set_header(partial.headers, "x-amz-target", "unsigned");
  EXPECT_EQ(name(partial), "IncompleteSignatureException");
}

TEST(Issuers, LeaveOtherPathsAlone) {
  Issuers issuers({}, 1);
  for (const auto* target :
       {"/", "/x", "/v1/chat/completions", "/control/stats", "/model/m/converse",
        "/v1/projects/p/locations/l/publishers/google/models/m:generateContent", "/oauth2/v2.0/token",
        "/a/b/oauth2/v2.0/token", "/v2/credentials/", "", "token"}) {
    EXPECT_FALSE(issuers.respond(form(target, "{}"), kSigned)) << target;
  }
  EXPECT_EQ(issuers.stats()["services"]["aws_sts"]["requests"], 0);
}

TEST(Issuers, GiveTheSameForTheSameSeedAndNothingTwice) {
  Issuers one({}, 7), same({}, 7), other({}, 8);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    auto call = sts_call(assume(kDemoRole), static_key());
    auto keys = keys_of_xml(ask(one, call));
    EXPECT_EQ(keys.session_token, keys_of_xml(ask(same, call)).session_token);
    EXPECT_TRUE(seen.insert(keys.access_key_id).second);
    EXPECT_TRUE(seen.insert(keys_of_xml(ask(other, call)).access_key_id).second);
  }
}

TEST(Issuers, ForgetTheOldestBeyondTheirBound) {
  Issuers issuers({.issued_max = 2}, 1);
  std::vector<AwsCredentials> keys;
  for (int i = 0; i < 3; ++i)
    keys.push_back(keys_of_xml(ask(issuers, sts_call(assume(kDemoRole), static_key()))));
  auto good = [&](const AwsCredentials& key) {
    return issuers.check_signed(model_call(key, "us-east-1", kSigned), kModels, kSigned).has_value();
  };
  EXPECT_FALSE(good(keys[0]));
  EXPECT_TRUE(good(keys[1]) && good(keys[2]));
  EXPECT_TRUE(good(static_key())) << "the static key is no entry";
  EXPECT_EQ(issuers.stats()["keys"], 2);
}

TEST(Issuers, RefuseEverythingWhileDown) {
  Issuers issuers({}, 1);
  auto keys = keys_of_xml(ask(issuers, sts_call(assume(kDemoRole), static_key())));
  issuers.set_down(true);
  EXPECT_EQ(ask(issuers, sts_call(assume(kDemoRole), static_key())).status, 503);
  EXPECT_EQ(ask(issuers, captured("metadata_token")).status, 503);
  EXPECT_TRUE(issuers.check_signed(model_call(keys, "us-east-1", kSigned), kModels, kSigned))
      << "what was issued stays good: clients live on it through an outage";
  issuers.set_down(false);
  issuers.set_delay(std::chrono::milliseconds(1500));
  EXPECT_EQ(ask(issuers, captured("metadata_token")).status, 200);
  auto stats = issuers.stats();
  EXPECT_EQ(stats["delay_s"], 1.5);
  EXPECT_EQ(stats["services"]["aws_sts"].dump(), R"({"requests":2,"granted":1,"refused":1})");
  EXPECT_EQ(stats["services"]["google_metadata"]["requests"], 2);
}

TEST(Issuers, KeepNoSecretsInTheirCounts) {
  Issuers issuers({}, 1);
  auto keys = keys_of_xml(ask(issuers, sts_call(assume(kDemoRole), static_key())));
  auto stats = dump_json(issuers.stats());
  EXPECT_EQ(stats.find(keys.secret_access_key), std::string::npos);
  EXPECT_EQ(stats.find(keys.access_key_id), std::string::npos);
}

TEST(Issuers, BoundBodies) {
  Issuers issuers({}, 1);
  auto large = form("/token", std::string(Issuers::body_bytes_max, 'x'));
  EXPECT_EQ(ask(issuers, large).status, 400);
  large.body += 'x';
  EXPECT_EQ(ask(issuers, large).status, 413);
}

// Any bytes get an answer: each captured request with pieces cut out and bytes changed.
TEST(Issuers, SurviveGarbage) {
  Issuers issuers(with_signers(), 1);
  Rng rng(5);
  for (const auto& [name, unused] : captured_requests().items()) {
    for (int i = 0; i < 200; ++i) {
      auto request = captured(name);
      auto& text = rng.below(4) == 0 ? request.target : request.body;
      auto at = rng.below(text.size() + 1);
      if (rng.below(2) == 0) text.resize(at);
      if (at < text.size()) text[at] = static_cast<char>(rng.below(256));
      auto response = issuers.respond(request, kSigned);
      EXPECT_TRUE(!response || response->status >= 200) << name;
    }
  }
}

// Captured from the official SDKs and kept outside: none of the paths is unknown to us.
TEST(Issuers, KnowEveryCapturedRequestsPath) {
  for (const auto* name :
       {"aws_credentials/assume_role", "aws_credentials/ecs_full_uri_token", "gcp_auth/wif_aws_imdsv2.2",
        "gcp_auth/wif_aws_imdsv2.7", "gcp_auth/wif_aws_no_impersonation.6", "gcp_auth/wif_oidc_file.2"}) {
    auto text = codec_test::shared_fixture(std::string(name) + ".request.json");
    if (text.empty()) GTEST_SKIP() << "no ../shared: the captured requests are not here";
    auto from = parse_json(text).value_or(Json::object());
    http::Request request{
        get_string(from, "method"), get_string(from, "target"), {}, get_string(from, "body_raw")};
    Issuers issuers({}, 1);
    EXPECT_TRUE(issuers.respond(request, kSigned)) << name;
  }
}

}  // namespace
}  // namespace troupe::providers::simulator::issuers_test
