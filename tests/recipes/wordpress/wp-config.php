<?php
// The part of WordPress that the plugin uses, with its data in one file. A test on a real WordPress
// shows that this is how WordPress behaves.

define('STATE', __DIR__ . '/state.json');
$hooks = [];
$current = null;

function with_state($change)
{
    $file = fopen(STATE, 'c+');
    flock($file, LOCK_EX);
    $state = json_decode(stream_get_contents($file), true) ?: ['options' => [], 'users' => []];
    $result = $change($state);
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, json_encode($state));
    fclose($file);
    return $result;
}

class WP_User
{
    public $user_email;
    public $roles;

    public function __construct($email, array $roles)
    {
        $this->user_email = $email;
        $this->roles = $roles;
    }

    public function exists()
    {
        return $this->user_email !== '';
    }

    public function add_role($role)
    {
        $this->save(array_unique(array_merge($this->roles, [$role])));
    }

    public function remove_role($role)
    {
        $this->save(array_diff($this->roles, [$role]));
    }

    private function save(array $roles)
    {
        $this->roles = array_values($roles);
        with_state(function (&$state) {
            $state['users'][strtolower($this->user_email)] = $this->roles;
        });
    }
}

class WP_REST_Response
{
    public $data;
    public $status;

    public function __construct($data, $status)
    {
        $this->data = $data;
        $this->status = $status;
    }
}

class WP_REST_Request
{
    public function get_header($name)
    {
        return $_SERVER['HTTP_' . strtoupper(str_replace('-', '_', $name))] ?? null;
    }

    public function get_body()
    {
        return file_get_contents('php://input');
    }
}

function add_action($hook, $function, $priority = 10, $arguments = 1)
{
    $GLOBALS['hooks'][$hook][] = $function;
}

function do_action($hook, ...$arguments)
{
    foreach ($GLOBALS['hooks'][$hook] ?? [] as $function) {
        $function(...$arguments);
    }
}

function get_option($name, $default = false)
{
    return with_state(function (&$state) use ($name, $default) {
        return $state['options'][$name] ?? $default;
    });
}

function update_option($name, $value, $autoload = null)
{
    with_state(function (&$state) use ($name, $value) {
        $state['options'][$name] = $value;
    });
}

function delete_option($name)
{
    with_state(function (&$state) use ($name) {
        unset($state['options'][$name]);
    });
}

function get_transient($name)
{
    return get_option("transient_$name");
}

function set_transient($name, $value, $seconds)
{
    update_option("transient_$name", $value);
}

// As in WordPress, an answer that did not come has no status and no body.
function wp_remote_post($url, array $options)
{
    $headers = ['Content-Type: application/x-www-form-urlencoded'];
    foreach ($options['headers'] as $name => $value) {
        $headers[] = "$name: $value";
    }
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => $headers,
        'content' => http_build_query($options['body']),
        'timeout' => $options['timeout'],
        'ignore_errors' => true,
    ]]);
    $body = @file_get_contents($url, false, $context);
    preg_match('/ ([0-9]+)/', $http_response_header[0] ?? '', $status);
    return ['status' => (int) ($status[1] ?? 0), 'body' => (string) $body];
}

function wp_remote_retrieve_response_code($answer)
{
    return $answer['status'] ?: '';
}

function wp_remote_retrieve_body($answer)
{
    return $answer['body'];
}

function get_user_by($field, $value)
{
    $roles = with_state(function (&$state) use ($value) {
        return $state['users'][strtolower($value)] ?? null;
    });
    return $roles === null ? false : new WP_User($value, $roles);
}

function get_userdata($id)
{
    return get_user_by('email', $id);
}

function wp_insert_user(array $values)
{
    $email = $values['user_email'];
    with_state(function (&$state) use ($email) {
        $state['users'][strtolower($email)] = ['subscriber'];
    });
    do_action('user_register', $email);
    return $email;
}

function wp_set_current_user($id)
{
    $GLOBALS['current'] = $id ? get_userdata($id) : null;
}

function wp_get_current_user()
{
    return $GLOBALS['current'] ?: new WP_User('', []);
}

function add_role($role, $name, $capabilities)
{
}

function add_shortcode($name, $function)
{
    $GLOBALS['shortcodes'][$name] = $function;
}

function shortcode_atts($defaults, $given)
{
    return array_merge($defaults, (array) $given);
}

function do_shortcode($text)
{
    return preg_replace_callback('/\[(\w+)\](.*)\[\/\1\]/s', function ($found) {
        return $GLOBALS['shortcodes'][$found[1]]([], $found[2]);
    }, $text);
}

function __($text)
{
    return $text;
}

function esc_html($text)
{
    return htmlspecialchars($text);
}

function register_rest_route($space, $path, $options)
{
    $GLOBALS['routes']["/$space$path"] = $options['callback'];
}

foreach (glob(__DIR__ . '/wp-content/mu-plugins/*.php') as $plugin) {
    require_once $plugin;
}
do_action('init');
do_action('rest_api_init');
