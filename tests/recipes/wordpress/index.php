<?php
require __DIR__ . '/wp-config.php';
$answer = $routes[$_GET['rest_route']](new WP_REST_Request());
http_response_code($answer->status);
header('Content-Type: application/json');
echo json_encode($answer->data);
