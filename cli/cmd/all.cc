#include <iterator>

#include "cli/cmd/rows.h"
#include "cli/commands.h"

namespace mlops::cli {
namespace {

const Command* const kRows[] = {
    // Daily work
    &kRegisterCommand,
    &kPlanCommand,
    &kPromoteCommand,
    &kApproveCommand,
    &kRejectCommand,
    &kRollbackCommand,
    &kStatusCommand,
    &kHistoryCommand,
    &kLineageCommand,
    &kRanCommand,
    &kWatchCommand,
    &kWaitCommand,
    // Registry
    &kListCommand,
    &kShowCommand,
    &kDiffCommand,
    &kPullCommand,
    &kAliasCommand,
    &kLabelCommand,
    &kDeprecateCommand,
    &kDeleteCommand,
    &kPlansCommand,
    // Environments and policies
    &kEnvApplyCommand,
    &kEnvListCommand,
    &kEnvShowCommand,
    &kPolicyApplyCommand,
    &kPolicyListCommand,
    &kPolicyShowCommand,
    &kPolicyScanCommand,
    &kPolicyLintCommand,
    &kPolicyTestCommand,
    &kPolicyExplainCommand,
    &kPolicyDiffCommand,
    &kPolicyMaskCommand,
    &kPolicyRevealCommand,
    &kPolicyEvalCommand,
    &kPolicyReplayCommand,
    &kPolicyRiskCommand,
    &kPolicyPacksCommand,
    &kDecisionShowCommand,
    &kDecisionVerifyCommand,
    &kPolicyBenchmarkCommand,
    // Keys
    &kKeyListCommand,
    &kKeyCreateCommand,
    &kKeyRotateCommand,
    &kKeyDestroyCommand,
    &kRevealCommand,
    &kKeyringInitCommand,
    &kKeyringListCommand,
    &kKeyringAddCommand,
    &kKeyringRotateCommand,
    &kKeyringRetireCommand,
    &kKeyringDestroyCommand,
    &kKeyringRewrapCommand,
    // Audit
    &kAuditLogCommand,
    &kAuditVerifyCommand,
    &kFsckCommand,
    // Storage
    &kGcPlanCommand,
    &kGcRunCommand,
    &kGcWhyCommand,
    &kGcRunsCommand,
    &kGcRestoreCommand,
    &kHoldAddCommand,
    &kHoldListCommand,
    &kHoldReleaseCommand,
    &kRetentionSetCommand,
    &kRetentionListCommand,
    &kRetentionRemoveCommand,
    &kBackupCommand,
    &kRestoreCommand,
    // Erasure
    &kSubjectKeySetCommand,
    &kSubjectKeyListCommand,
    &kSubjectKeyRemoveCommand,
    &kErasePlanCommand,
    &kEraseApproveCommand,
    &kEraseRejectCommand,
    &kEraseApplyCommand,
    &kEraseDecideCommand,
    &kEraseStatusCommand,
    &kEraseListCommand,
    &kEraseReceiptCommand,
    &kEraseIndexCommand,
    // Events
    &kWebhookAddCommand,
    &kWebhookListCommand,
    &kWebhookShowCommand,
    &kWebhookPauseCommand,
    &kWebhookResumeCommand,
    &kWebhookRemoveCommand,
    &kWebhookRotateCommand,
    &kWebhookTestCommand,
    &kWebhookDeadCommand,
    &kWebhookRedeliverCommand,
    // Administration
    &kTokenCreateCommand,
    &kTokenListCommand,
    &kTokenRevokeCommand,
    &kWhoamiCommand,
    &kCanICommand,
    &kDoctorCommand,
};

}  // namespace

const std::vector<const Command*>& all_commands() {
  static const std::vector<const Command*> kAll(std::begin(kRows), std::end(kRows));
  return kAll;
}

}  // namespace mlops::cli
