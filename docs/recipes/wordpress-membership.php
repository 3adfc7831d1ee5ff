<?php
/**
 * Plugin Name: Newsroom membership
 * Description: Knows who is a member of the newsroom. Takes its webhooks, and shows parts of posts to members only.
 * Version: 1.0.0
 * Requires PHP: 7.4
 * License: MIT
 *
 * Copyright (c) 2026 the authors of the newsroom's membership campaign
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
 * associated documentation files (the "Software"), to deal in the Software without restriction,
 * including without limitation the rights to use, copy, modify, merge, publish, distribute,
 * sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions: The above copyright notice and this
 * permission notice shall be included in all copies or substantial portions of the Software. THE
 * SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
 * LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
 * NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
 * DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
 * OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 *
 * Set up: see README.md beside this file.
 *
 * The plugin keeps one row for each member in the option table, under the member's number. A user of
 * this site is a member if the row with the user's address says so. If no webhook ever named the
 * address, the plugin asks the newsroom, when NEWSROOM_URL and NEWSROOM_TOKEN are set. Users get and
 * lose the role "newsroom_member"; the plugin never makes users, and changes no other role.
 */

namespace Newsroom\Membership;

const TOLERANCE = 300; // seconds that the clocks of both machines may differ
const REMEMBERED = 7 * 86400; // seconds for which webhook IDs are kept
const ANSWER_LASTS = 3600; // seconds for which an answer of the newsroom is kept
const ANSWER_TIMEOUT = 3; // seconds: a reader waits for it while signing in
const RETRY_AFTER = 60; // seconds after which a newsroom that did not answer is asked again
const ROLE = 'newsroom_member';
const PREFIX = 'newsroom_';

// The parts that need no WordPress.

/** Return the secrets of the endpoint; two while one is replaced, with a space between them. */
function read_secrets($text)
{
    return preg_split('/\s+/', (string) $text, -1, PREG_SPLIT_NO_EMPTY);
}

/**
 * Return "" for a webhook that is signed with one of the secrets and recent, otherwise why it isn't.
 * The scheme is that of https://www.standardwebhooks.com.
 */
function find_fault($id, $timestamp, $signatures, $body, array $secrets, $now)
{
    if ($id === '' || !preg_match('/^[0-9]{1,12}$/', $timestamp) || $signatures === '') {
        return 'headers are missing';
    }
    if (abs($now - (int) $timestamp) > TOLERANCE) {
        return 'too old or too new';
    }
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            continue;
        }
        $wanted = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($wanted, $signature)) {
                return '';
            }
        }
    }
    return 'wrong signature';
}

/** Return whether a row gives access at a time. */
function gives_access($row, $now)
{
    if (!is_array($row) || empty($row['has_access'])) {
        return false;
    }
    return $row['until'] === null || strtotime($row['until']) > $now;
}

// WordPress

/** Take a webhook: check it, apply it once, and answer quickly. */
function receive($request)
{
    $secrets = read_secrets(defined('NEWSROOM_WEBHOOK_SECRET') ? NEWSROOM_WEBHOOK_SECRET : '');
    if ($secrets === []) {
        return new \WP_REST_Response(['error' => 'NEWSROOM_WEBHOOK_SECRET is not in wp-config.php'], 503);
    }
    $id = (string) $request->get_header('webhook-id');
    $fault = find_fault(
        $id,
        (string) $request->get_header('webhook-timestamp'),
        (string) $request->get_header('webhook-signature'),
        $request->get_body(),
        $secrets,
        time()
    );
    if ($fault !== '') {
        return new \WP_REST_Response(['error' => $fault], 400);
    }
    $seen = PREFIX . 'seen_' . md5($id);
    if (get_transient($seen)) {
        return new \WP_REST_Response(['state' => 'known'], 200);
    }
    $event = json_decode($request->get_body(), true);
    if (!is_array($event) || !isset($event['type'], $event['data'])) {
        return new \WP_REST_Response(['error' => 'no event'], 400);
    }
    apply_event($event['type'], $event['data']);
    set_transient($seen, 1, REMEMBERED); // after it was applied, so that nothing is lost
    return new \WP_REST_Response(['state' => 'taken'], 200);
}

/** Apply an event. Doing it twice makes no difference. */
function apply_event($type, array $data)
{
    if (!isset($data['member']['id'])) {
        return;
    }
    $number = (int) $data['member']['id'];
    if ($type === 'member.erased') {
        forget($number);
        leave((string) $data['member']['email'], $number); // perhaps known by an answer only
        return;
    }
    if ($type === 'member.address_changed' && (int) $data['previous']['id'] !== $number) {
        forget((int) $data['previous']['id']); // two records of one person were merged
    }
    $row = read_row($number);
    if (isset($data['access'])) {
        $row = ['has_access' => $data['access']['has_access'], 'until' => $data['access']['until']];
    } elseif ($type !== 'member.address_changed' || $row === null) {
        return; // it says nothing about access
    }
    save_row($number, (string) $data['member']['email'], $row);
}

function read_row($number)
{
    $row = get_option(PREFIX . "member_$number", null);
    return is_array($row) ? $row : null;
}

function save_row($number, $email, array $row)
{
    $before = read_row($number);
    $row['email'] = strtolower($email);
    update_option(PREFIX . "member_$number", $row, false);
    if ($before !== null && $before['email'] !== $row['email']) {
        leave($before['email'], $number);
    }
    update_option(name_of($row['email']), $number, false);
    set_role($row['email']);
}

function forget($number)
{
    $row = read_row($number);
    if ($row === null) {
        return;
    }
    delete_option(PREFIX . "member_$number");
    leave($row['email'], $number);
}

/**
 * Take the role from an address that is no longer a member's, and ask nobody about it for a day. If
 * it is another member's by now, it stays theirs.
 */
function leave($email, $number)
{
    if ((int) get_option(name_of($email), $number) !== $number) {
        return;
    }
    delete_option(name_of($email));
    set_transient(answer_name_of($email), ['has_access' => false, 'until' => null], 86400);
    set_role($email);
}

/** Return the option that leads from an address to the member's number. */
function name_of($email)
{
    return PREFIX . 'address_' . md5(strtolower($email));
}

function answer_name_of($email)
{
    return PREFIX . 'answer_' . md5(strtolower($email));
}

/** Return whether an address is a member's now. */
function is_member($email)
{
    $number = get_option(name_of($email), null);
    $row = $number !== null ? read_row((int) $number) : ask_about($email);
    return gives_access($row, time());
}

/** Ask the newsroom about an address that no webhook named; return null without an answer. */
function ask_about($email)
{
    if (!defined('NEWSROOM_URL') || !defined('NEWSROOM_TOKEN')) {
        return null;
    }
    $kept = get_transient(answer_name_of($email));
    if (is_array($kept)) {
        return $kept;
    }
    $answer = wp_remote_post(rtrim(NEWSROOM_URL, '/') . '/api/access', [
        'timeout' => ANSWER_TIMEOUT,
        'headers' => ['Authorization' => 'Bearer ' . NEWSROOM_TOKEN],
        'body' => ['email' => $email],
    ]);
    $facts = json_decode((string) wp_remote_retrieve_body($answer), true);
    $is_answered = wp_remote_retrieve_response_code($answer) === 200 && isset($facts['member']);
    $row = ['has_access' => $is_answered && $facts['member'], 'until' => $facts['until'] ?? null];
    set_transient(answer_name_of($email), $row, $is_answered ? ANSWER_LASTS : RETRY_AFTER);
    return $row;
}

/** Give the user with an address the role, or take it. */
function set_role($email)
{
    $user = get_user_by('email', $email);
    if (!$user) {
        return;
    }
    if (is_member($email)) {
        $user->add_role(ROLE);
    } else {
        $user->remove_role(ROLE);
    }
}

/** Show what is inside [members_only] to members, and a sentence to others. */
function show_to_members($attributes, $content = '')
{
    $user = wp_get_current_user();
    if ($user->exists() && is_member($user->user_email)) {
        return do_shortcode((string) $content);
    }
    $texts = shortcode_atts(['text' => __('This part is for members.')], $attributes);
    return '<p class="members-only">' . esc_html($texts['text']) . '</p>';
}

if (function_exists('add_action')) {
    add_action('init', function () {
        add_role(ROLE, 'Newsroom member', ['read' => true]);
        add_shortcode('members_only', __NAMESPACE__ . '\show_to_members');
    });
    add_action('rest_api_init', function () {
        register_rest_route('newsroom/v1', '/webhook', [
            'methods' => 'POST',
            'callback' => __NAMESPACE__ . '\receive',
            'permission_callback' => '__return_true', // the signature is the permission
        ]);
    });
    // Accounts that are made, or whose address changes, later than the membership.
    $follow = function ($user_id) {
        if ($user = get_userdata($user_id)) {
            set_role($user->user_email);
        }
    };
    add_action('user_register', $follow);
    add_action('profile_update', $follow);
    add_action('wp_login', function ($name, $user) {
        set_role($user->user_email);
    }, 10, 2);
}
