// The four locks of the network: what they are, and what is truly on them.
import {
  UserCredentialModifierType, UserCredentialNameEncoding, UserCredentialRule, UserCredentialUserType, UserIDStatus,
} from "@zwave-js/cc";
import { CommandClasses } from "@zwave-js/core";
import { Bytes } from "@zwave-js/shared";
import { ccCaps } from "@zwave-js/testing";

export const LOCKS = [
  { id: 2, users: 30, userCode: 2, supervision: true, battery: 87 }, // modern
  { id: 3, users: 30, userCode: 1, supervision: false, battery: 42 }, // legacy: its writes are never confirmed
  { id: 4, users: 5, userCode: 1, supervision: true, battery: 9 }, // tiny, and its battery is low
  { id: 5, users: 10, userCredential: true, supervision: true, battery: 66 }, // the newer command class: named users
];

const ENTRY_CONTROL = 0x40;
const SECURE_KEYPAD_DOOR_LOCK = 0x03;

/** What MockNode.create wants to know of a lock. Battery locks wake once a second to listen. */
export function capabilities(lock, txDelay) {
  return {
    genericDeviceClass: ENTRY_CONTROL,
    specificDeviceClass: SECURE_KEYPAD_DOOR_LOCK,
    isListening: false,
    isFrequentListening: "1000ms",
    manufacturerId: 0xffff,
    productType: 0xffff,
    productId: 0xff00 + lock.id,
    firmwareVersion: "1.0",
    txDelay,
    commandClasses: commandClasses(lock),
  };
}

function commandClasses(lock) {
  return [
    { ccId: CommandClasses.Version, version: 3 },
    { ccId: CommandClasses["Manufacturer Specific"], version: 2 },
    { ccId: CommandClasses["Z-Wave Plus Info"], version: 2 },
    { ccId: CommandClasses.Battery, version: 1 },
    ccCaps({ ccId: CommandClasses["Door Lock"], version: 4 }),
    lock.userCredential ? userCredential(lock) : userCode(lock),
    ...(lock.supervision ? [{ ccId: CommandClasses.Supervision, version: 1 }] : []),
  ];
}

function userCode(lock) {
  return ccCaps({
    ccId: CommandClasses["User Code"],
    version: lock.userCode,
    numUsers: lock.users,
    supportsAdminCode: false,
    supportedUserIDStatuses: [UserIDStatus.Available, UserIDStatus.Enabled, UserIDStatus.Disabled],
  });
}

function userCredential(lock) {
  return ccCaps({ ccId: CommandClasses["User Credential"], version: 1, numberOfSupportedUsers: lock.users });
}

// The mock keeps a lock's memory in `node.state`, under these keys.
const STATUS = /^UserCode_userIdStatus_(\d+)$/;
const CODE = /^UserCode_userCode_(\d+)$/;
const USER = /^UserCredential_user_(\d+)$/;
const PIN_CREDENTIAL = /^UserCredential_cred_1_(\d+)$/;

/** PINs and users on the lock, by slot: { codes: { "3": "4711" }, users: { "3": "Guest 00AF" }, status: { "3": 1 } }. */
export function truth(node) {
  const codes = {}, users = {}, status = {};
  for (const [key, value] of node.state) {
    let match;
    if ((match = STATUS.exec(key)) && value !== UserIDStatus.Available) status[match[1]] = value;
    else if ((match = CODE.exec(key)) && text(value)) codes[match[1]] = text(value);
    else if ((match = USER.exec(key))) users[match[1]] = value.userName;
    else if ((match = PIN_CREDENTIAL.exec(key))) codes[match[1]] = text(value.credentialData);
  }
  return { codes, users, status };
}

/** Somebody pulled the battery and reset the lock: all its codes are gone. */
export function wipe(node) {
  for (const key of [...node.state.keys()])
    if (/^User(Code_user|Credential_)/.test(key)) node.state.delete(key);
}

/** Somebody programs a code at the keypad. Of a User Credential lock this also makes the user. */
export function plant(node, lock, { slot, pin, enabled = true, name = `User-${slot}` }) {
  if (!lock.userCredential) {
    node.state.set(`UserCode_userIdStatus_${slot}`, enabled ? UserIDStatus.Enabled : UserIDStatus.Disabled);
    node.state.set(`UserCode_userCode_${slot}`, pin);
    return;
  }
  const local = { modifierType: UserCredentialModifierType.Locally, modifierNodeId: 0 };
  node.state.set(`UserCredential_user_${slot}`, {
    userType: UserCredentialUserType.General,
    active: enabled,
    credentialRule: UserCredentialRule.Single,
    expiringTimeoutMinutes: 0,
    nameEncoding: UserCredentialNameEncoding.ASCII,
    userName: name,
    ...local,
  });
  if (pin) node.state.set(`UserCredential_cred_1_${slot}`, { userId: slot, credentialData: Bytes.from(pin), ...local });
}

export function slotIsFree(node, slot) {
  return (node.state.get(`UserCode_userIdStatus_${slot}`) ?? UserIDStatus.Available) === UserIDStatus.Available;
}

export function text(code) {
  return typeof code === "string" ? code : code ? Buffer.from(code).toString("ascii") : "";
}
