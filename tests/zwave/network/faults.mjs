// What can be wrong with a lock. One behaviour in front of the mock's own, and a brake on what the lock sends back.
//
//   unreachable        no radio acknowledgement: out of range, no power
//   mute               acknowledges, then neither does nor answers anything
//   apply_then_silent  does what it is told to store, and its answer is lost
//   reject_set         refuses every write
//   reject_duplicate   refuses digits that stand in another slot (User Credential always does)
//   full               refuses a new code, not a change
//   ignore_set         claims success, stores nothing
//   mask_codes         reads back as asterisks, or for User Credential without digits
//
// `delayMs` slows every answer down, whatever else is wrong.
import {
  BatteryCCGet, BatteryCCReport,
  UserCodeCCExtendedUserCodeSet, UserCodeCCReport, UserCodeCCSet,
  UserCredentialCredentialReportType as CredentialReport,
  UserCredentialModifierType, UserCredentialOperationType as Operation,
  UserCredentialNameEncoding, UserCredentialRule,
  UserCredentialUserReportType as UserReport, UserCredentialUserType,
  UserIDStatus,
} from "@zwave-js/cc";
import {
  UserCredentialCCCredentialReport, UserCredentialCCCredentialSet, UserCredentialCCUserReport, UserCredentialCCUserSet,
} from "@zwave-js/cc/UserCredentialCC";
import { MockZWaveFrameType, createMockZWaveRequestFrame } from "@zwave-js/testing";
import { slotIsFree, text } from "./locks.mjs";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const STOP = { action: "stop" }, OK = { action: "ok" }, FAIL = { action: "fail" };
const AS_USUAL = undefined; // leave it to the mock's own behaviour

/** Put `condition` ({ fault, delayMs, battery, sets }) in front of the lock. Define this behaviour last: last comes first. */
export function faultyBehavior(lock, condition) {
  return {
    async handleCC(controller, node, cc) {
      condition.silenced = false;
      if (condition.fault === "unreachable") return STOP;
      if (condition.delayMs) await sleep(condition.delayMs);
      if (condition.fault === "mute") return STOP;
      if (cc instanceof BatteryCCGet) return battery(controller, condition.battery ?? lock.battery);
      if (!isWrite(cc)) return AS_USUAL;
      condition.sets += 1;
      return write(lock, condition, controller, node, cc);
    },
  };
}

/** Masks what the lock reads back. Define it before the faulty behaviour. */
export function maskingBehavior(condition) {
  return {
    async transformResponse(controller, node, received, response) {
      if (condition.fault !== "mask_codes" || response.action !== "sendCC") return response;
      if (response.cc instanceof UserCodeCCReport && text(response.cc.userCode))
        response.cc.userCode = "*".repeat(text(response.cc.userCode).length);
      else if (response.cc instanceof UserCredentialCCCredentialReport && response.cc.credentialReadBack)
        response.cc = withoutDigits(response.cc);
      return response;
    },
  };
}

/** While silenced, the lock's acknowledgements still go out, and no answer does. */
export function brake(node, condition) {
  const send = node.sendToController.bind(node);
  node.sendToController = async (frame) => {
    if (condition.silenced && frame.type === MockZWaveFrameType.Request) return;
    return send(frame);
  };
}

const isUserCodeSet = (cc) => cc instanceof UserCodeCCSet || cc instanceof UserCodeCCExtendedUserCodeSet;
const isUserSet = (cc) => cc instanceof UserCredentialCCUserSet;
const isCredentialSet = (cc) => cc instanceof UserCredentialCCCredentialSet;
const isWrite = (cc) => isUserCodeSet(cc) || isUserSet(cc) || isCredentialSet(cc);

function write(lock, condition, controller, node, cc) {
  switch (condition.fault) {
    case "apply_then_silent":
      condition.silenced = true;
      return AS_USUAL;
    case "ignore_set":
      return claimSuccess(controller, node, cc);
    case "reject_set":
      return reject(controller, node, cc);
    case "reject_duplicate":
      return isUserCodeSet(cc) && entries(cc).some((entry) => isDuplicate(lock, node, entry)) ? FAIL : AS_USUAL;
    case "full":
      return addsCode(node, cc) ? FAIL : AS_USUAL;
    default:
      return AS_USUAL;
  }
}

const entries = (cc) => (cc instanceof UserCodeCCSet ? [cc] : cc.userCodes);
const enabled = (cc) => entries(cc).filter((entry) => entry.userIdStatus === UserIDStatus.Enabled);

function addsCode(node, cc) {
  if (isUserCodeSet(cc)) return enabled(cc).some((entry) => slotIsFree(node, entry.userId));
  return cc.operationType === Operation.Add;
}

function isDuplicate(lock, node, entry) {
  if (entry.userIdStatus !== UserIDStatus.Enabled) return false;
  const slots = Array.from({ length: lock.users }, (_, index) => index + 1).filter((slot) => slot !== entry.userId);
  return slots.some((slot) => text(node.state.get(`UserCode_userCode_${slot}`)) === text(entry.userCode));
}

function battery(controller, level) {
  return { action: "sendCC", cc: new BatteryCCReport({ nodeId: controller.ownNodeId, level, isLow: level < 10 }) };
}

/** A User Credential lock answers a write with a report, besides the supervised yes or no. */
async function claimSuccess(controller, node, cc) {
  const kind = { [Operation.Add]: 0, [Operation.Modify]: 1, [Operation.Delete]: 2 }[cc.operationType];
  if (isUserSet(cc)) await send(node, userReport(controller, cc, kind));
  if (isCredentialSet(cc)) await send(node, credentialReport(controller, cc, kind));
  return OK;
}

/** Deleting has no report for "no": the lock just fails it. A new user is refused as if the place were taken. */
async function reject(controller, node, cc) {
  const changing = cc.operationType !== Operation.Delete;
  if (isUserSet(cc) && changing) await send(node, userReport(controller, cc, UserReport.UserAddRejectedLocationOccupied));
  if (isCredentialSet(cc) && changing)
    await send(node, credentialReport(controller, cc, CredentialReport.ManufacturerSecurityRules));
  return FAIL;
}

function userReport(controller, cc, reportType) {
  return new UserCredentialCCUserReport({
    nodeId: controller.ownNodeId,
    reportType,
    userId: cc.userId,
    modifierType: UserCredentialModifierType.ZWave,
    modifierNodeId: controller.ownNodeId,
    userType: cc.userType ?? UserCredentialUserType.General,
    active: cc.active ?? false,
    credentialRule: cc.credentialRule ?? UserCredentialRule.Single,
    expiringTimeoutMinutes: 0,
    nameEncoding: cc.nameEncoding ?? UserCredentialNameEncoding.ASCII,
    userName: cc.userName ?? "",
  });
}

function credentialReport(controller, cc, reportType) {
  return new UserCredentialCCCredentialReport({
    nodeId: controller.ownNodeId,
    reportType,
    userId: cc.userId,
    credentialType: cc.credentialType,
    credentialSlot: cc.credentialSlot,
    credentialReadBack: true,
    credentialData: cc.credentialData ?? new Uint8Array(),
    modifierType: UserCredentialModifierType.ZWave,
    modifierNodeId: controller.ownNodeId,
  });
}

function withoutDigits(report) {
  return new UserCredentialCCCredentialReport({
    nodeId: report.nodeId,
    reportType: report.reportType,
    userId: report.userId,
    credentialType: report.credentialType,
    credentialSlot: report.credentialSlot,
    credentialReadBack: false,
    modifierType: report.modifierType,
    modifierNodeId: report.modifierNodeId,
    nextCredentialType: report.nextCredentialType,
    nextCredentialSlot: report.nextCredentialSlot,
  });
}

const send = (node, cc) => node.sendToController(createMockZWaveRequestFrame(cc, { ackRequested: false }));
