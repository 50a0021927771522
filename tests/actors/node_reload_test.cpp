// What a node keeps of a configuration that it has only looked at: nothing (C13).
#include "tests/actors/node_world.hpp"

namespace troupe::actors::testing {
namespace {

class NodeReloadTest : public NodeTest {
 protected:
  void SetUp() override {
    node_ = start(text());
    ASSERT_TRUE(node_);
    node_->set_config_reader([this] { return load(text()); });
  }
  void TearDown() override {
    if (node_) node_->stop();
  }
  /// With a provider more, whose issuer never answers.
  std::string text() const {
    auto out = two_clouds("n", "  recap: {hierarchy: [small, large]}\n");
    if (client_id_.empty()) return out;
    auto put = [&out](const std::string& before, const std::string& what) {
      out.insert(out.find(before) + before.size(), what);
    };
    put("providers:\n",
        fmt::format("  north: {{dialect: azure_openai, base_url: \"http://127.0.0.1:1\", "
                    "region: r, auth: {{kind: azure, tenant_id: t, client_id: {}, client_secret: "
                    "\"${{PATH}}\", token_url: \"http://127.0.0.1:1/token\"}}}}\n{}",
                    client_id_, faulty_ ? kFaulty : ""));
    put("  list:\n", "    - {id: n, provider: north, model: large}\n");
    if (faulty_) put("  list:\n", "    - {id: z, provider: zero, model: large}\n");
    return out;
  }
  std::string reload(bool dry_run) {
    return dump_json(ask(*node_, "control.reload", {{"dry_run", dry_run}}));
  }

  static constexpr const char* kFaulty =
      "  zero: {dialect: openai, base_url: \"http://127.0.0.1:1\", "
      "auth: {kind: bearer, api_key: \"${NO_SUCH_VARIABLE_HERE}\"}}\n";
  std::string client_id_;
  bool faulty_ = false;
  std::unique_ptr<Node> node_;
};

TEST_F(NodeReloadTest, ADryRunLeavesNoCredentialsBehind) {
  client_id_ = "one";
  EXPECT_THAT(reload(true), HasSubstr("north"));
  client_id_ = "two";
  EXPECT_THAT(reload(false), HasSubstr("\"added\":[\"n\"]")) << "the name has never been used";
}

TEST_F(NodeReloadTest, AReloadThatFailsLeavesNoCredentialsBehind) {
  client_id_ = "one";
  faulty_ = true;
  EXPECT_THAT(reload(false), HasSubstr("NO_SUCH_VARIABLE_HERE"));
  faulty_ = false;
  client_id_ = "two";
  EXPECT_THAT(reload(false), HasSubstr("\"added\":[\"n\"]"));
}

TEST_F(NodeReloadTest, OfAProviderInUseOtherCredentialsAreRefused) {
  client_id_ = "one";
  reload(false);
  client_id_ = "two";
  EXPECT_THAT(reload(false), HasSubstr("providers.north.auth.client_id"));
}

}  // namespace
}  // namespace troupe::actors::testing
