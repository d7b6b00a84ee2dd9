// Banners can be closed; a cookie keeps them away for some days. Without scripts or cookies they stay.
for (const button of document.querySelectorAll(".banner-close")) {
  button.classList.remove("scripted");
  button.addEventListener("click", () => {
    const { cookie, seconds } = button.dataset;
    document.cookie = `${cookie}=1; max-age=${seconds}; path=/; samesite=lax`;
    button.closest(".banner").remove();
    document.querySelector("main").focus();
  });
}
