// Called by reCAPTCHA when its box is ticked: takes back what the page said about it.
window.captchaPassed = function () {
  const box = document.querySelector(".g-recaptcha");
  const error = box && box.parentElement.querySelector(".field__error");
  if (error) error.remove();
};
